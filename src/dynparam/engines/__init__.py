"""One step and several on a network: dense, and exact in law; the kernel of given weights.

Imports ``support`` and ``theory``.
"""
