"""What is trained beside the approximations, as a control."""

from __future__ import annotations

from typing import Literal, get_args

Control = Literal["gradient", "unscaled"]
"""Gradient descent, and the block diagonal approximation, both with eta = c: as if a were one."""

CONTROLS: tuple[Control, ...] = get_args(Control)
