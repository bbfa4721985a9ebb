"""The thesis as arithmetic: widths, parametrizations, orders, conditions, expected values, kernels.

Imports ``support`` alone; no torch, pandas or pydantic.
"""
