"""An image, a network, a step: measured on either engine, logged, resumed.

Imports ``data`` and what lies below.
"""
