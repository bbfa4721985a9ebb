"""``apply`` and ``coordinate_check`` for any torch model.

Imports ``support``, ``theory``, ``statistics`` and ``presentation``.
"""
