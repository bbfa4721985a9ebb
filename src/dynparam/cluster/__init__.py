"""What jobs ask a cluster for, what they used, and what a run prints meanwhile.

Imports ``settings``, ``theory`` and ``training``.
"""
