"""What are the orders of a profile of widths of one's own, exact and measured?"""
