"""One step and several on a network: dense, and exact in law.

Imports ``support`` and ``theory``.
"""
