"""How far the kernel moves: which networks are trained, and what is recorded of those that run away."""

import numpy as np
import pytest
import torch

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.lazy_or_rich import kernel_change
from dynparam.experiments.lazy_or_rich.tables import KERNEL_CHANGE
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import layer_scales
from dynparam.trials.log import TrialLog
from tests.lazy import lazy
from tests.sweeps import grid


def measured(folder, family, **overrides):
    log = TrialLog(folder / f"{family}.csv", family, "settings")
    return kernel_change.measure(lazy(**overrides), family, log)


def test_series_of_a_constant_ratio_and_of_a_sharpening_bottleneck():
    constant = kernel_change.series(lazy(), "constant_ratio")
    sharpening = kernel_change.series(lazy(), "sharpening")
    dynamic = [("dynamic", r, 0.25, n) for r in (0.0, 0.5) for n in (16, 32, 64)]
    assert constant == dynamic + [("mup", 0.5, 0.25, n) for n in (16, 32, 64)]
    assert sharpening[4:] == [("spectral", 0.5, step, n) for step in (0.25, 0.5) for n in (16, 64)]


def test_a_table_has_its_form_and_lazy_networks_the_smaller_change(tmp_path):
    table = measured(tmp_path, "constant_ratio")
    KERNEL_CHANGE.check(table, tmp_path / "t.csv", family="constant_ratio")
    assert len(table) == 9 * 2
    assert (table["n_min"] == table["n"] // 4).all()
    wide = table[table["n"] == 64]
    change = wide.groupby(["parametrization", "r"])["kernel_change"].max()
    assert change["dynamic", 0.0] < wide.loc[wide["r"] == 0.5, "kernel_change"].min()
    reached = table[table["outcome"] == "reached"]
    assert (reached["loss"] <= 0.1).all()
    assert (table.loc[table["outcome"] == "stopped", "loss"] > 0.1).all()


def test_all_parametrizations_see_the_same_draw(tmp_path):
    """dynamic with r = 0 is ntk; at n_min = n with r = 1/2 it is mup up to the network's ends."""
    table = measured(tmp_path, "constant_ratio", kernel_change__r=[0, "1/1000000"])
    by_r = table[table["parametrization"] == "dynamic"].pivot(
        index=["n", "trial"], columns="r", values="kernel_change"
    )
    np.testing.assert_allclose(by_r[0.0], by_r[1e-6], rtol=1e-2)


def test_a_descent_that_diverges_is_recorded(tmp_path):
    """And has no kernel change; c = 2 runs away at these widths."""
    table = measured(tmp_path, "sharpening", kernel_change__control_step=2.0, kernel_change__steps=300)
    KERNEL_CHANGE.check(table, tmp_path / "t.csv", family="sharpening")
    diverged = table[table["outcome"] == "diverged"]
    assert len(diverged)
    assert set(diverged["parametrization"]) == {"spectral"}
    assert diverged["kernel_change"].isna().all()
    assert diverged["loss"].isna().all()
    rest = table[table["outcome"] != "diverged"]
    assert rest["kernel_change"].notna().all()


def test_equal_inputs_are_told_and_no_error(tmp_path, monkeypatch, capsys):
    drawn = kernel_change.torch.randn

    def repeated(*shape, **given):
        images = drawn(*shape, **given)
        images[1] = images[0]
        return images

    monkeypatch.setattr(kernel_change.torch, "randn", repeated)
    table = measured(tmp_path, "constant_ratio", kernel_change__r=[0], kernel_change__steps=3)
    assert (table["rank"] == 5).all()
    assert "rank 5, so its inverse is that of Moore and Penrose" in capsys.readouterr().err


@pytest.mark.parametrize("changes", [{}, {"seed": 1}])
def test_a_trial_follows_from_its_seed(tmp_path, changes):
    first, second = (
        measured(tmp_path / name, "sharpening", kernel_change__steps=2, **given)
        for name, given in (("first", {}), ("second", changes))
    )
    assert first.equals(second) == (not changes)


@pytest.mark.parametrize(
    ("family", "name", "r", "step", "n"),
    [
        ("constant_ratio", "dynamic", 0.0, 0.25, 32),
        ("constant_ratio", "mup", 0.5, 0.25, 64),
        ("sharpening", "dynamic", 0.5, 0.25, 16),
        ("sharpening", "spectral", 0.5, 0.5, 16),
    ],
)
@pytest.mark.parametrize("trial", [0, 1])
def test_a_trial_is_gradient_descent_on_its_own_draw(tmp_path, family, name, r, step, n, trial):
    """The same draw, targets f_0 + or - 1, steps of c T / lambda_max until the loss is a tenth."""
    block = lazy()
    widths = block.network(family, n, ("wide", "narrow", "wide"))
    scales = layer_scales(name, widths, r)
    generator = torch_generator(0, "kernel change", family, n, trial)
    images = torch.randn(6, 12, dtype=torch.float64, generator=generator)
    signs = torch.where(torch.randint(2, (6,), generator=generator) == 1, 1.0, -1.0).double()
    model = MLP(draw_weights(widths, scales, generator, torch.float64), scales.multiplier)
    before = gram(model, images)
    target = model(images)[:, 0].detach() + signs
    optimizer = torch.optim.SGD(model.parameters(), lr=step * 6 / np.linalg.eigvalsh(before)[-1])
    steps, loss = 0, 1.0
    while loss > 0.1 and steps < 60:
        optimizer.zero_grad()
        ((model(images)[:, 0] - target).square().sum() / 12).backward()
        optimizer.step()
        loss = float((model(images)[:, 0].detach() - target).square().mean())
        steps += 1
    change = np.linalg.norm(gram(model, images) - before) / np.linalg.norm(before)
    row = kernel_change._trial(block, family, name, r, step, n, trial)
    assert row["kernel_change"] == pytest.approx(change, rel=1e-7)
    assert row["loss"] == pytest.approx(loss, rel=1e-7)
    assert (row["steps"], row["n_min"], row["rank"]) == (steps, widths.n_min, 6)
    assert row["outcome"] == ("reached" if loss <= 0.1 else "stopped")
    told = {key: row[key] for key in ("family", "parametrization", "r", "step", "n", "trial")}
    named = {"family": family, "parametrization": name, "r": r, "step": step, "n": n, "trial": trial}
    assert told == named


def gram(model, images):
    """The kernel, from a gradient for each image."""
    rows = []
    for image in images:
        gradients = torch.autograd.grad(model(image[None]).sum(), list(model.parameters()))
        rows.append(torch.cat([one.ravel() for one in gradients]))
    return (torch.stack(rows) @ torch.stack(rows).T).numpy()


def test_spectral_stands_at_the_first_two_widths_alone():
    widths = {"constant_ratio": grid(16, 64, 3), "sharpening": grid(16, 256, 3)}
    found = kernel_change.series(lazy(kernel_change__widths=widths), "sharpening")
    assert [n for name, *_, n in found if name == "dynamic"] == [16, 64, 256] * 2
    spectral = [(step, n) for name, _, step, n in found if name == "spectral"]
    assert spectral == [(0.25, 16), (0.25, 64), (0.5, 16), (0.5, 64)]
