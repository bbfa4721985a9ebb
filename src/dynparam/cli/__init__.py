"""The command line: what the rules of the workflow call, and what people call by hand.

Imports everything.
"""
