"""Reproduce, check and extend a thesis on learning in networks of very different hidden widths.

The modules are the rooms of the house; nothing is imported here, so that ``import dynparam`` costs
nothing and a dry run never pays for torch.
"""

__version__ = "0.1.0"
