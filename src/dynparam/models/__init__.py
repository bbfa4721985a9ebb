"""``apply``, ``coordinate_check`` and ``sharpness`` for any torch model.

Imports ``support``, ``theory``, ``statistics`` and ``presentation``.
"""
