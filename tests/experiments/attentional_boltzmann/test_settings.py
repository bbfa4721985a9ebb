"""Settings of the experiment on attentional Boltzmann machines: what is refused."""

import pytest
from pydantic import ValidationError

from tests import boltzmann

GROWTH, ESCAPE, MIXTURE = (boltzmann.SMALL[name] for name in ("growth", "escape", "mixture"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eigenvalues": [0.5, 3.0]}, "eigenvalues are not falling"),
        ({"eigenvalues": [3.0, 3.0, 0.5]}, "eigenvalues are not falling"),
        ({"eigenvalues": [3.0, 1.0]}, "on one side of 1"),
        ({"eigenvalues": [1.0, 0.5]}, "on one side of 1"),
        ({"eigenvalues": [3.0, 0.0]}, "eigenvalues.1"),
        ({"eigenvalues": [float("nan"), 0.5]}, "eigenvalues.0"),
        ({"growth": GROWTH | {"hidden": [1, 4]}}, r"growth\.hidden\.0"),
        ({"growth": GROWTH | {"hidden": [4, 2]}}, r"growth\.hidden are not increasing"),
        ({"growth": GROWTH | {"samples": 6}}, r"growth\.samples \(6\) is too small"),
        ({"growth": GROWTH | {"rate": 0}}, r"growth\.rate"),
        ({"growth": GROWTH | {"size": 0.1}}, r"growth\.size"),
        ({"growth": GROWTH | {"trials": True}}, "trials is true"),
        ({"escape": ESCAPE | {"hidden": [2]}}, r"escape\.hidden"),
        ({"escape": ESCAPE | {"hidden": [4, 4]}}, r"escape\.hidden are not increasing"),
        ({"escape": ESCAPE | {"samples": 5}}, r"escape\.samples \(5\) is too small"),
        ({"escape": ESCAPE | {"reached": 1e-3}}, r"escape\.reached \(0\.001\) is where"),
        ({"mixture": MIXTURE | {"components": 11}}, r"mixture\.components \(11\) exceeds"),
        ({"mixture": MIXTURE | {"components": 1}}, r"mixture\.components"),
        ({"mixture": MIXTURE | {"apart": 2.9}}, r"mixture\.apart"),
        ({"mixture": MIXTURE | {"overlapping": 3}}, r"mixture\.overlapping"),
        ({"mixture": MIXTURE | {"samples": [200, 100]}}, r"mixture\.samples are not increasing"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_key(changes, message):
    with pytest.raises(ValidationError, match=message):
        boltzmann.settings(**changes)
