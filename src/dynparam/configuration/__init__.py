"""All blocks together, and the settings of every job.

Imports the experiments and what lies below.
"""
