"""A finished run on one page, and the findings in words.

Imports everything but the command line.
"""
