"""How numbers, verdicts, tables and figures look, whoever shows them.

Imports ``support`` alone.
"""
