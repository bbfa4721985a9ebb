"""Every file that the report shows or the findings quote is made by some rule."""

import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.report import contents


@pytest.mark.parametrize("overlays", [[], ["config/reduced.yaml"]], ids=["thesis", "reduced"])
def test_every_file_that_is_shown_is_made_by_a_rule(untouched, overlays):
    """Nothing is there yet, so that Snakemake refuses a file that no rule makes."""
    config = load(Config, [untouched.root / name for name in ("config/thesis.yaml", *overlays)])
    shown = {str(path) for path, _ in contents.needed(config)}
    shown |= {str(path) for path in contents.quoted(config)}
    assert len(shown) > 50
    assert not [path for path in shown if (untouched.root / path).exists()]
    options = ["--configfile", *overlays] if overlays else []
    targets = {target for path, target in contents.needed(config) if target != str(path)}
    planned = untouched.snakemake("-n", *sorted(shown | targets), *options, overlay=False)
    assert planned.code == 0, planned.text
