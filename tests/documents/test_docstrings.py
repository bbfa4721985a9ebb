"""The examples in docstrings: they run, they print what they say, and the front doors have one."""

import doctest
import importlib
import pkgutil

import pytest

import dynparam

WINGS = ("theory", "engines", "models")
FRONT_DOORS = {
    "theory.widths": (
        "bottleneck",
        "Widths",
        "RatioRule",
        "constant_ratio",
        "dynamic_ratio",
        "log_spaced",
    ),
    "theory.parametrization": ("layer_rules", "layer_scales", "scales_of_update", "learning_rate_form"),
    "theory.orders": ("orders", "graph_orders"),
    "theory.conditions": ("check", "condition", "quantity_exponents"),
    "theory.mean_field": ("mean_field",),
    "theory.expected_sizes": ("expected_sizes",),
    "theory.update_bound": (
        "reference_width",
        "reference_exponent",
        "expected_edge",
        "drift_exponents",
    ),
    "theory.activations": ("by_quadrature", "relu_pair"),
    "theory.inner_products": ("inner_products",),
    "theory.kernels": ("gram_matrices", "layer_kernels", "ntk"),
    "theory.relu_kernels": (
        "layer_shapes",
        "relu_ntk",
        "layer_weights",
        "output_square",
        "single_input_ntk",
    ),
    "theory.gaussian_data": ("kernel_constants",),
    "theory.output_scale": ("output_scale",),
    "theory.fisher": ("of_outputs", "sharpness", "normalized_kernel", "normalized_sharpness"),
    "engines.dense": ("one_step",),
    "engines.empirical_ntk": ("layer_kernels", "ntk", "memory_bytes"),
    "engines.law": ("one_step", "one_steps", "sgd"),
    "engines.network": ("sgd_step", "draw_weights"),
    "engines.gaussian_matrix": ("GaussianMatrix",),
    "engines.trajectory": ("sgd_trajectory",),
    "models.apply": ("apply",),
    "models.coordinate_check": ("coordinate_check",),
    "models.sharpness": ("sharpness",),
}
"""What a reader calls first."""


def examples_of(name):
    """The docstrings of a module that hold examples, by the names of what they document."""
    module = importlib.import_module(f"dynparam.{name}")
    return {
        test.name.removeprefix(f"dynparam.{name}."): test
        for test in doctest.DocTestFinder(exclude_empty=True).find(module)
        if test.examples
    }


MODULES = [
    name.removeprefix("dynparam.")
    for wing in WINGS
    for _, name, _ in pkgutil.iter_modules([f"{dynparam.__path__[0]}/{wing}"], f"dynparam.{wing}.")
]
TESTS = {(name, what): test for name in MODULES for what, test in examples_of(name).items()}


@pytest.mark.parametrize(("module", "what"), TESTS)
def test_an_example_prints_what_it_says(module, what, capsys):
    runner = doctest.DocTestRunner()
    runner.run(TESTS[module, what])
    assert runner.failures == 0, capsys.readouterr().out


@pytest.mark.parametrize(("module", "names"), FRONT_DOORS.items())
def test_every_front_door_has_an_example(module, names):
    assert set(names) <= {what for place, what in TESTS if place == module}


def test_examples_are_found_and_short():
    assert len(TESTS) >= 27
    for (module, what), test in TESTS.items():
        assert 1 <= len(test.examples) <= 9, (module, what)
        # The heading that the documentation site renders as code.
        assert test.docstring.count("Examples:\n") == 1, (module, what)
        assert test.docstring.index("Examples:\n") < test.docstring.index(">>>"), (module, what)
