"""What a block of the configuration is, and how text becomes one.

Imports ``support`` and ``theory``.
"""
