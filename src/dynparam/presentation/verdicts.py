"""How verdicts look: sign, word and colour."""

from __future__ import annotations

VERDICT_MARKS = {"agrees": "✓ agrees", "disagrees": "✗ disagrees", "undecided": "? undecided"}
"""Verdicts carry a sign, so that they can be told apart without colour."""


VERDICT_COLOURS = {"agrees": "#d5ebe1", "disagrees": "#f6d5c5", "undecided": "#f5eec2"}
"""Backgrounds from the Okabe-Ito palette, lightened; black text on them passes WCAG AAA."""


CLAIM_MARKS = {"holds": "✓ holds", "fails": "✗ fails", "undecided": "? undecided"}
"""Verdicts carry a sign, so that they can be told apart without colour."""


CLAIM_COLOURS = {
    "holds": VERDICT_COLOURS["agrees"],
    "fails": VERDICT_COLOURS["disagrees"],
    "undecided": VERDICT_COLOURS["undecided"],
}
"""The backgrounds of the comparison of slopes."""
