"""Where a file came from: stage, code digest, sidecar, verification, research object.

Imports ``support`` and ``settings``.
"""
