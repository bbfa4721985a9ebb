"""Errors, whole files, tables on disk, progress, signals, generators from coordinates.

Imports no other wing.
"""
