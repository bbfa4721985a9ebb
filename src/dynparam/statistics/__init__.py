"""Slopes, paired differences, intervals, and the verdicts they allow.

Imports ``support`` and ``theory``.
"""
