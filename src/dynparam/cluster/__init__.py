"""What jobs ask a cluster for, and what they used.

Imports ``settings``, ``theory`` and ``training``.
"""
