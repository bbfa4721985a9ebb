"""What the settings of the delays refuse, and what they make of widths."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.delay_law.settings import Rate, for_delays, part_names
from tests import delays
from tests.delays import BLOCK, block


def series(bottlenecks=1, ratios=(10, 20, 40, 80)):
    return [{"bottlenecks": bottlenecks, "ratios": list(ratios)}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"series": series(ratios=[10, 40, 20, 80])}, "ratios are not increasing"),
        ({"series": series(ratios=[10, 20, 40])}, "give four or more"),
        ({"series": series(ratios=[1, 20, 40, 80])}, "no two halves with a slope each"),
        ({"series": series() * 2}, "series has a number of bottlenecks twice"),
        ({"series": series(bottlenecks=6)}, "less than or equal to 5"),
        ({"learning_rate": 0.25}, r"learning_rate \(0.25, over 1 - momentum\) is not below 0.222"),
        ({"variants": {"bottlenecks": [1, 1]}}, "variants.bottlenecks has a number"),
        ({"variants": {"ratios": [64, 8]}}, "ratios are not increasing"),
        ({"narrow_layers": {"n_min": [20, 10]}}, "n_min are not increasing"),
        ({"narrow_layers": {"bottlenecks": 4}, "series": series()}, "4 bottlenecks stop training"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(changes, reason):
    with pytest.raises(ValidationError, match=reason):
        block(**changes)


def test_a_rate_of_a_variant_is_refused_by_its_key():
    fast = {"learning_rate": 0.1, "momentum": 0.9, "images": 1, "engine": "stored"}
    with pytest.raises(ValidationError, match=r"variants\.cases\.fast\.learning_rate \(0.1"):
        block(variants={"cases": {"fast": fast}})


def test_a_rate_of_spectral_along_families_is_refused_by_its_key():
    names = {"spectral": {"rate": 0.5, "falls": 0}}
    with pytest.raises(ValidationError, match=r"families\.parametrizations\.spectral\.rate \(0.5"):
        block(families={"parametrizations": names})


def test_a_family_of_impossible_widths_is_refused():
    wide = {"wide": {"narrow": {"coefficient": 6, "exponent": "1/2"}, "widths": [10, 1000]}}
    with pytest.raises(ValidationError, match=r"narrow at widths: .*wider than the wide layers"):
        block(families={"families": wide})


def test_families_need_no_spectral_parametrization():
    names = {"dynamic": {"rate": 0.5, "falls": 0}}
    assert set(block(families={"parametrizations": names}).families.parametrizations) == {"dynamic"}


def test_bottlenecks_stand_between_wide_layers():
    own = block()
    assert own.network(1, 100, 10).sizes == (64, 100, 10, 100, 2)
    assert own.network(3, 100, 10).sizes == (64, 100, 10, 100, 10, 100, 10, 100, 2)


def test_a_rate_falls_by_its_power():
    rate = Rate.model_validate({"rate": 0.5, "falls": "1/2"})
    assert rate.at(100) == pytest.approx(0.05)


def test_every_part_is_a_job():
    names = part_names(block())
    expected = [f"series_{one['bottlenecks']}" for one in BLOCK["series"]]
    assert names == [*expected, "variants", "narrow_layers", "families"]


def test_verdicts_depend_on_no_titles():
    settings = for_delays(delays.CONFIG)
    assert settings.delay_law == block()
    assert not settings.figures.titles
