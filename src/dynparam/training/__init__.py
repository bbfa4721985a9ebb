"""The protocol of Figs. 3.4 and 3.5: runs, checkpoints, archive, audit.

Imports ``data`` and what lies below.
"""
