"""Captions: every number in them is one of the configuration, of the thesis, or of the code."""

import math
import re
from fractions import Fraction

import pytest

from dynparam.experiments.r_sweep.figure import CEILING
from dynparam.provenance.code_digest import PACKAGE
from dynparam.theory.parametrization import HALF
from dynparam.theory.widths import INPUT_WIDTH, bottleneck
from tests.findings_run import CONFIG

FOLDER = PACKAGE / "experiments"
WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 10: "ten"}
TEN = f"10^{round(math.log10(CONFIG.law.widths.largest))}"
LEVEL = f"{100 * CONFIG.fit.confidence:g}"
SWEEP = CONFIG.sweep
LAZY = CONFIG.lazy_or_rich
SOFTMAX = CONFIG.softmax_fisher
DEEP = CONFIG.isometry.bottlenecks
NATURAL = CONFIG.natural_gradient
NETWORK = bottleneck(CONFIG.protocol.n, CONFIG.protocol.n_min, hidden=CONFIG.network.hidden).hidden
POOLED = 32 // CONFIG.sharpness.pool
RATIOS = [rule for rule in CONFIG.exponents.families.values() if rule.exponent < 1]

SAID = {
    "alignments/fig3_2": [],
    "alignments/fig3_2_wide": [
        f":math:`n = {TEN}` on the exact-law engine",
        f"{CONFIG.law.trials} trials per width",
        f"{WORDS[CONFIG.law.sliding]} neighbouring widths with {LEVEL} % intervals",
        f"n_0 = {INPUT_WIDTH}",
    ],
    "alignments/fig3_3": [],
    "alignments/fig3_3_wide": [
        f":math:`n = {TEN}` on the exact-law engine",
        f"{CONFIG.law.trials} trials per width",
        f"{WORDS[CONFIG.law.sliding]} neighbouring widths with {LEVEL} % intervals",
    ],
    "alignments/slopes": [],
    "architecture/fig3_1": [],
    "lazy_or_rich/companion_laziness": [
        f"trained on {LAZY.linearization.train_images} pooled images",
        r":math:`2r - 1` in :math:`n_{\min}`",
        f"{LEVEL} % intervals",
    ],
    "lazy_or_rich/verdicts": [],
    "isometry/companion_isometry": [
        f"{DEEP.n} and {DEEP.n_min} wide in turn, mean over {DEEP.trials} networks",
        f"{LEVEL} % intervals",
    ],
    "isometry/verdicts": [],
    "fluctuations/fluctuations": ["sum of :math:`1/n_l` over hidden layers.", f"{LEVEL} % intervals"],
    "fluctuations/verdicts": [],
    "best_rate/best_rate": [],
    "best_rate/verdicts": [],
    "best_rate/best": [],
    "weight_decay/weight_decay": [f"{LEVEL} % intervals"],
    "weight_decay/verdicts": [],
    "attentional_boltzmann/companion_attentional_bm": [f"{LEVEL} % intervals"],
    "attentional_boltzmann/verdicts": [],
    "natural_gradient/companion_natural_gradient": [
        f"{WORDS[NATURAL.gaussian.hidden_layers]} hidden layers of M units",
        f"{LEVEL} % intervals",
    ],
    "natural_gradient/verdicts": [],
    "continual_learning/companion_continual": [],
    "continual_learning/verdicts": [],
    "concept_retrieval/companion_concepts": [],
    "concept_retrieval/verdicts": [],
    "receptive_fields/companion_receptive_fields": [],
    "receptive_fields/verdicts": [],
    "measured_orders/conditions": [],
    "measured_orders/table1_1": [
        f"{LEVEL} % intervals",
        f"{WORDS[len(RATIOS)]} dynamic ratios",
        f"r = {HALF}",
    ],
    "open_choices/open_choices": ["float64"],
    "open_choices/open_choices_training": [],
    "r_sweep/edges": [],
    "r_sweep/r_sweep": [
        rf"n_{{\min}} = {SWEEP.narrow.coefficient} \sqrt{{n}}",
        f"{LEVEL} % interval",
        r"1/2 for :math:`m = n_{\min}`",
        f"within {SWEEP.steps} steps",
        f"beyond {CEILING:g}",
    ],
    "sharpness/companion_sharpness": [
        f"{POOLED} by {POOLED} pixels",
        f"{LEVEL} % intervals",
        f"with {CONFIG.sharpness.normalization.fixed_images}. Lines",
    ],
    "sharpness/verdicts": [],
    "softmax_fisher/companion_softmax": [
        f"networks of {WORDS[SOFTMAX.images.outputs]} outputs",
        f"{WORDS[len(SOFTMAX.parametrizations)]} parametrizations",
        ":math:`n, n/4, n, n/4, n`.",
        f"{SOFTMAX.trials} networks with {LEVEL} % intervals",
    ],
    "softmax_fisher/verdicts": [],
    "through_training/through_training": [
        f"on {CONFIG.through_training.probes.images} training images",
        f"{LEVEL} % intervals",
    ],
    "through_training/verdicts": [],
    "delay_law/delay_law": ["95 % intervals"],
    "delay_law/verdicts": [],
    "training_curves/claim_domain": [f"ratio of {CONFIG.protocol.n // CONFIG.protocol.n_min}"],
    "training_curves/claims": [],
    "training_curves/fig3_4": [f"({'-'.join(map(str, NETWORK))} hidden units) on airplane against"],
    "training_curves/fig3_5": [f"({'-'.join(map(str, NETWORK))} hidden units) on bird against cat"],
}
"""What a caption says of the thesis's configuration, by its place."""

OF_THE_THESIS = r"(?:Figs?\. |Secs?\. |Table |[Ee]q\. )[\d.]+(?: and [\d.]+)?"


def text(place: str) -> str:
    """A caption in one line."""
    folder, name = place.split("/")
    path = FOLDER / folder / "captions" / f"{name}.rst"
    return " ".join(path.read_text(encoding="utf-8").split())


def test_every_caption_is_read_here():
    found = {f"{path.parts[-3]}/{path.stem}" for path in FOLDER.glob("*/captions/*.rst")}
    assert found == set(SAID)


@pytest.mark.parametrize("place", SAID)
def test_numbers_in_a_caption_are_those_of_the_configuration(place):
    """Besides figures, sections and equations of the thesis there are no others."""
    said = text(place)
    for part in SAID[place]:
        assert part in said
        said = said.replace(part, "", 1)
    assert re.findall(r"\d+", re.sub(OF_THE_THESIS, "", said)) == []


def test_captions_of_the_thesis_s_figures_name_them():
    """And the task of each figure of curves."""
    for place in SAID:
        name = place.split("/")[1]
        if number := re.match(r"fig(\d)_(\d)", name):
            assert f"Fig. {number[1]}.{number[2]}" in text(place), place
    for figure, task in CONFIG.figures.training.items():
        assert " against ".join(task.split("-")) in text(f"training_curves/{figure}")
    exponents = {curve.narrow.exponent for curve in CONFIG.probe.curves.values()}
    assert SWEEP.narrow.exponent in exponents, "along the widths of Fig. 3.2"


def test_the_caption_of_softmax_names_its_widths():
    narrow = SOFTMAX.images.narrow
    assert (narrow.coefficient, narrow.exponent) == (Fraction(1, 4), 1)
    assert CONFIG.network.hidden == ("wide", "narrow", "wide", "narrow", "wide")
