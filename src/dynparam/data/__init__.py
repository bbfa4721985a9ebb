"""CIFAR-10: retrieved, verified, drawn into pairs, normalized.

Imports the wings below it.
"""
