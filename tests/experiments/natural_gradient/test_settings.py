"""Settings of the experiment on natural gradients: what is refused."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.natural_gradient.settings import for_natural_trials
from dynparam.support.errors import ConfigError
from tests import natural

ONE = {"exact": 0.1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": 1.0}, "less than 1"),
        ({"step": 0.0}, "greater than 0"),
        ({"steps": 0}, "steps"),
        ({"trials": 1}, "trials"),
        ({"trials": True}, "trials is true"),
        ({"r": "3/4"}, "r\n"),
        ({"parametrization": "sp"}, "parametrization"),
        ({"gaussian": {"samples": 1}}, "samples"),
        ({"gaussian": {"hidden_layers": 0}}, "hidden_layers"),
        ({"gaussian": {"widths": [0, 512]}}, "widths.0"),
        ({"gaussian": {"widths": [64.5, 512]}}, "widths.0"),
        ({"gaussian": {"widths": [512]}}, "widths"),
        ({"gaussian": {"widths": [512, 128]}}, "gaussian.widths are not increasing"),
        ({"images": {"widths": [512, 512]}}, "images.widths are not increasing"),
        ({"images": {"samples": 41}}, r"images.samples \(41\) is odd"),
        ({"gaussian": {"tolerances": {}}}, "tolerances"),
        ({"gaussian": {"tolerances": {"diagonal": 0.1}}}, "tolerances.diagonal"),
        ({"gaussian": {"tolerances": {"exact": -0.1}}}, "tolerances.exact"),
        ({"gaussian": {"hidden_layers": 1}}, "2 layers has no inverse"),
        ({"gaussian": {"hidden_layers": 4}}, "5 layers has no inverse"),
        ({"gaussian": {"inputs": 31}}, "gaussian: K-FAC inverts .* which n_0 = 31"),
        ({"gaussian": {"widths": [31, 512]}}, "gaussian: .*31"),
        ({"gaussian": {"widths": [31, 512], "tolerances": ONE}}, "layer 3 has 32 rows and 31 weights"),
        ({"one_step": {"hidden": []}}, "hidden"),
        ({"one_step": {"widths": [4, 512]}}, "one_step: .* 16 rows"),
        ({"one_step": {"widths": [1, 512]}}, "one_step.narrow at one_step.widths: n_min"),
        ({"one_step": {"approximations": ["exact", "exact"]}}, "approximations has one twice"),
        ({"one_step": {"parametrizations": ["ntk", "ntk"]}}, "parametrizations has one twice"),
        ({"one_step": {"parametrizations": ["sp"]}}, "parametrizations"),
        ({"one_step": {"approximations": ["kfac"], "inputs": 15}}, "one_step: K-FAC inverts"),
        ({"one_step": {"r": "-1/2"}}, "r\n"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_key(changes, message):
    with pytest.raises(ValidationError, match=message):
        natural.block(**changes)


def test_depths_without_the_tridiagonal_one_are_free():
    some = {"exact": 0.1, "block_diagonal": 0.1, "kfac": 0.1}
    found = natural.block(gaussian={"hidden_layers": 1, "tolerances": some})
    assert found.gaussian.network(128, 64).sizes == (64, 128, 1)


def test_only_the_pair_s_images_matter():
    assert list(natural.trials().data.pairs) == [natural.BLOCK["images"]["pair"]]


def test_an_unknown_pair_is_told_with_its_key():
    whole = natural.trials()
    changed = whole.natural_gradient.model_copy(
        update={"images": whole.natural_gradient.images.model_copy(update={"pair": "cat-dog"})}
    )
    with pytest.raises(
        ConfigError, match=r"no 'cat-dog' in data\.pairs, which natural_gradient\.images"
    ):
        for_natural_trials(whole.model_copy(update={"natural_gradient": changed}))
