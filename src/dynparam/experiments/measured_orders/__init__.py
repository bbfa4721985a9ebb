"""Do sizes and updates have the orders of Table 1.1, and meet the conditions 2.18 to 2.66?"""
