"""The worked examples: they run, and their pages say what their files hold."""

import csv
import json
import math
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import torch
from statsmodels.stats.weightstats import DescrStatsW

import dynparam
from dynparam import Widths, layer_scales
from dynparam.presentation.figure_style import Sheet
from dynparam.presentation.plain_formulas import typeset
from dynparam.provenance.sidecars import checksum
from dynparam.support.files import sha256
from dynparam.support.tables import read_csv
from dynparam.theory.mean_field import mean_field
from examples import (
    apply_to_a_model,
    architectures,
    bottleneck_autoencoder,
    delay_under_adam,
    exact_law,
    gpt,
    learning_rate_transfer,
    networks,
    orders_of_a_profile,
    pages,
)
from examples.frame import between, told
from tests import grey
from tests.printed import faults

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "figures"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Forty random images of two classes, the second one brighter."""
    generator = np.random.default_rng(0)
    labels = np.arange(40, dtype=np.uint8) % 2
    images = generator.integers(0, 128, (40, 3, 32, 32)) + 100 * labels[:, None, None, None]
    path = tmp_path_factory.mktemp("pair") / "pair.npz"
    arrays = {f"{split}_images": images.astype(np.uint8) for split in ("train", "test")}
    np.savez(path, **arrays, train_labels=labels, test_labels=labels)
    return path


@pytest.mark.parametrize("example", [learning_rate_transfer, bottleneck_autoencoder])
def test_a_quick_run_from_images_to_files(example, pair, tmp_path, capsys):
    example.main(["--quick", "--images", str(pair), "--output", str(tmp_path)])
    record = json.loads((tmp_path / f"{example.NAME}.json").read_text())
    files = [tmp_path / f"{example.NAME}{suffix}" for suffix in (".png", ".svg", ".pdf", ".csv")]
    assert record["outputs"] == {file.name: sha256(file) for file in files}
    assert record["inputs"] == {f"{pair.parent.name}/pair.npz": sha256(pair)}
    runs = pd.read_csv(files[-1])
    settings = example.Settings.model_validate(record["config"])
    # What was printed follows from the files alone.
    assert example.report(runs, settings, record["facts"]) == capsys.readouterr().out.strip()
    example.main(["--redraw", "--output", str(tmp_path)])
    redrawn = json.loads((tmp_path / f"{example.NAME}.json").read_text())
    assert redrawn.pop("checksum") == checksum(redrawn)
    assert redrawn.pop("redrawn") == record["git"]
    assert redrawn["outputs"] == {file.name: sha256(file) for file in files}
    # The table is unchanged; a PDF's bytes depend on what the process drew before.
    assert redrawn["outputs"][files[-1].name] == record["outputs"][files[-1].name]
    unchanged = {key: value for key, value in record.items() if key not in ("outputs", "checksum")}
    assert {key: value for key, value in redrawn.items() if key != "outputs"} == unchanged
    assert record["message"] == example.message(runs, settings, record["facts"])


def test_settings_of_another_example_are_named_and_nothing_is_redrawn(tmp_path):
    for suffix in (".csv", ".json"):
        name = f"{gpt.NAME}{suffix}"
        (tmp_path / name).write_bytes((FIGURES / name).read_bytes())
    sidecar = tmp_path / f"{gpt.NAME}.json"
    record = json.loads(sidecar.read_text())
    del record["config"]["tolerance"], record["config"]["widths"]
    sidecar.write_text(json.dumps(record))
    with pytest.raises(SystemExit, match=r"example_gpt\.json: widths.*run the example again"):
        gpt.main(["--redraw", "--output", str(tmp_path)])
    assert json.loads(sidecar.read_text()) == record


def test_missing_images_are_named(tmp_path):
    with pytest.raises(SystemExit, match=r"nowhere\.npz.*extract"):
        learning_rate_transfer.main(["--quick", "--images", "nowhere.npz", "--output", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_diverges_has_an_infinite_loss():
    x, y = torch.ones(8, 12), torch.ones(8, 2)
    quick = learning_rate_transfer.QUICK
    assert learning_rate_transfer.train("standard", 16, 1e6, 0, x, y, quick) == math.inf
    settings = bottleneck_autoencoder.QUICK
    curve = list(bottleneck_autoencoder.train("standard", 16, 1e9, 0, 100 * x, settings))
    assert [step for step, _ in curve] == [0, 5, 10]
    assert [math.isinf(loss) for _, loss in curve] == [False, True, True]


@pytest.mark.parametrize("name", pages.PAGES)
def test_pages_are_those_of_the_committed_files(name):
    committed = (ROOT / "docs" / "examples" / f"{name}.md").read_text()
    assert committed == pages.page(name), "run python -m examples.pages"
    for target in re.findall(r"\]\(([^)#:]+)", committed):
        assert (ROOT / "docs" / "examples" / target).exists(), target


@pytest.mark.parametrize("example", [learning_rate_transfer, bottleneck_autoencoder])
def test_committed_files_belong_together(example):
    record = json.loads((FIGURES / f"{example.NAME}.json").read_text())
    assert record["outputs"] == {name: sha256(FIGURES / name) for name in record["outputs"]}
    assert record["git"]["dirty"] is False
    assert example.Settings.model_validate(record["config"]) == example.FULL


def rows_of(name):
    with (FIGURES / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_transfer_page_follows_from_the_losses():
    """Slopes, intervals and verdicts again, by statsmodels and without the example's code."""
    losses = defaultdict(dict)
    for row in rows_of("example_learning_rate_transfer"):
        key = (row["parametrization"], row["n_0"], int(row["seed"]), int(row["n"]))
        losses[key][float(row["learning_rate"])] = float(row["train_loss"])
    points = defaultdict(list)
    for (name, n_0, seed, n), by_rate in losses.items():
        points[name, n_0, seed].append((math.log(n), math.log(min(by_rate, key=by_rate.get))))
    by_case = defaultdict(list)
    for (name, n_0, _), line in points.items():
        log_n, log_rate = np.transpose(line)
        by_case[name, n_0].append(sm.OLS(log_rate, sm.add_constant(log_n)).fit().params[1])
    text = (ROOT / "docs" / "examples" / "learning-rate-transfer.md").read_text()
    quoted = re.findall(r"^\| (\w+) +\| (\d+) +\| (\S+) \[(\S+), (\S+)\] +\| (\w+)", text, re.MULTILINE)
    assert len(quoted) == len(by_case) == 4
    for name, n_0, slope, low, high, verdict in quoted:
        stats = DescrStatsW(by_case[name, n_0])
        found = (stats.mean, *stats.tconfint_mean(0.05))
        assert [float(slope), float(low), float(high)] == pytest.approx(found, abs=0.0051)
        inside, outside = found[1] >= -0.25 and found[2] <= 0.25, found[2] < -0.25 or found[1] > 0.25
        assert verdict == ("stays" if inside else "moves" if outside else "undecided")


def test_best_rates_lie_inside_their_grids():
    """A best rate at an end of its grid would only bound the true one."""
    runs = pd.read_csv(FIGURES / "example_learning_rate_transfer.csv")
    for _, table in runs.groupby(["parametrization", "n_0", "n"]):
        mean = table.groupby("learning_rate")["train_loss"].mean()
        assert mean.index[0] < mean.idxmin() < mean.index[-1]


def planted(exponent, spread=0.0):
    """Losses whose best rate is 2^-3 (n/64)^exponent; the exponents of three seeds differ by spread."""
    rows = []
    for n in learning_rate_transfer.WIDTHS:
        for k in range(-12, 3):
            for seed in range(3):
                distance = k + 3 - (exponent + spread * (seed - 1)) * math.log2(n / 64)
                rows.append(("dynamic", 192, n, 2.0**k, seed, 0.1 + 0.01 * distance**2))
    columns = ["parametrization", "n_0", "n", "learning_rate", "seed", "train_loss"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("exponent", "spread", "verdict"),
    [(0, 0, "stays"), (-1, 0, "moves"), (-0.5, 0, "moves"), (0, 0.5, "undecided")],
)
def test_a_planted_exponent_is_found_and_judged(exponent, spread, verdict):
    found = learning_rate_transfer.slopes(planted(exponent, spread), learning_rate_transfer.FULL).iloc[0]
    assert found["slope"] == pytest.approx(exponent, abs=0.1)
    assert found["verdict"] == verdict


def test_a_transferred_rate_is_that_of_the_narrowest_network():
    found = learning_rate_transfer.transferred(planted(-1)).iloc[0]
    assert (found["narrowest"], found["widest"]) == (64, 1024)
    assert (found["rate_narrow"], found["rate_wide"]) == (2**-3, 2**-7)
    assert found["loss_own"] == pytest.approx(0.1)
    assert found["loss_transferred"] == pytest.approx(0.1 + 0.01 * 4**2)


def test_the_table_of_the_autoencoder_follows_from_the_losses():
    final = defaultdict(list)
    for row in rows_of("example_bottleneck_autoencoder"):
        if int(row["step"]) == bottleneck_autoencoder.FULL.steps:
            key = (row["parametrization"], int(row["n"]), float(row["learning_rate"]))
            final[key].append(float(row["loss"]))
    text = (ROOT / "docs" / "examples" / "bottleneck-autoencoder.md").read_text()
    quoted = re.findall(
        r"^\| (\w+) +((?:\| \S+ \[\S+, \S+\] at \$2\^\S+(?: \(edge\))? +){3})\|$", text, re.M
    )
    assert [name for name, _ in quoted] == list(bottleneck_autoencoder.FULL.exponents)
    for name, cells in quoted:
        found = re.findall(r"(\S+) \[(\S+), (\S+)\] at \$2\^\{(\S+)\}\$", cells)
        for n, cell in zip(bottleneck_autoencoder.FULL.widths, found, strict=True):
            mine = {rate: values for (a, b, rate), values in final.items() if (a, b) == (name, n)}
            rate = min(mine, key=lambda rate: np.mean(mine[rate]))
            expected = [np.mean(mine[rate]), min(mine[rate]), max(mine[rate]), math.log2(rate)]
            assert [float(number) for number in cell] == pytest.approx(expected, abs=5.1e-4)


@pytest.mark.parametrize(
    ("parametrization", "n_0", "sum_of_shares"),
    [("dynamic", 192, lambda n: 1.0 + 0 * n), ("standard", 192, lambda n: 1 + 3.25 * n / 192),
     ("standard", 3072, lambda n: 1 + 3.25 * n / 3072)],
)  # fmt: skip
def test_expected_slopes_are_those_of_the_page(parametrization, n_0, sum_of_shares):
    """By hand: layer k has n_{k-1} / n_0 times the share of layer 1, the readout twice that."""
    n = np.array(learning_rate_transfer.WIDTHS)
    expected = np.polyfit(np.log(n), -np.log(sum_of_shares(n)), 1)[0]
    found = learning_rate_transfer.expected_slope(parametrization, n_0, n.tolist(), 45.0)
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_rates_and_values_of_a_model_are_those_of_the_thesis(capsys, monkeypatch):
    """Eqs. 2.80-2.83 by hand: n_min / fan_in for hidden weights, n_min for their biases."""
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    apply_to_a_model.main()
    shown = capsys.readouterr().out
    rows = re.findall(r"^ *\d +(weight|bias) +(\w+) +(\d+) +\d+ +(\S+) +(\S+)$", shown, re.MULTILINE)
    assert len(rows) == 8
    for parameter, role, fan_in, std, rate in rows:
        numerator = 0.5 * (8 if role == "hidden" else 1)
        by_hand = numerator if parameter == "bias" else numerator / int(fan_in)
        assert float(rate) == pytest.approx(by_hand, rel=1e-3)
        variance = 2 / int(fan_in) if role == "hidden" else 1 / (8 * int(fan_in))
        assert float(std) == pytest.approx(0 if parameter == "bias" else variance**0.5, rel=1e-3)
    losses = [float(loss) for loss in re.findall(r"^step \d+: loss (\S+)$", shown, re.MULTILINE)]
    assert len(losses) == 5
    assert losses[-1] < losses[0] / 5


def test_the_exact_law_is_near_the_mean_over_weights(capsys):
    """Each layer's own share is eta g_k^2 P_{k-1} D_k (eq. 2.41), to some percent at widths of 1000."""
    exact_law.main()
    shown = capsys.readouterr().out
    sizes = (3072, 10**6, 10**6, 1000, 10**6, 10**6, 2)
    assert f"{sum(a * b for a, b in pairwise(sizes)):,} weights" in shown
    for name in ("dynamic", "spectral"):
        (line,) = re.findall(rf"^{name} +(.*)  in \S+ seconds$", shown, re.MULTILINE)
        scales = layer_scales(name, sizes)
        expected = mean_field(Widths(sizes), scales, 0.01, 3072.0, target_square_norm=1.0)
        # The error f - y of this one network is a factor of all shares; over the readout's it cancels.
        found = np.diff([0.0, *map(float, line.split())])
        assert found / found[-1] == pytest.approx(
            np.array(expected.contribution) / expected.contribution[-1], rel=0.15
        )
    assert len(shown.splitlines()) == 3


def test_orders_of_a_profile_by_hand(capsys):
    """Dynamic with r = 1/2 keeps every alignment (eq. 2.31); the readout gets 1 / n^(1/4) (eq. 2.75)."""
    orders_of_a_profile.main()
    blocks = dict(block.split("\n", 1) for block in capsys.readouterr().out.strip().split("\n\n")[1:])
    assert list(blocks) == ["ntk", "mup", "spectral", "dynamic", "standard"]
    assert "alignment     n^ 0 0 0 0\n" in blocks["dynamic"]
    assert "preactivation n^ 0 0 0 -1/4\n" in blocks["dynamic"]
    # sigma = 1 / sqrt(n), g = sqrt(n_2 / n_1): s n_1^(1/2) = n^(-1/4) at the narrow layer (eq. 3.3-3.4).
    assert (
        "2.18 fails at layer 2: the preactivations over those of layer 1 shrink as n^(-1/4)"
        in (blocks["spectral"])
    )
    assert not [line for line in blocks["dynamic"].splitlines() if "2.31 fails" in line]


# Architectures and the GPT.


def test_the_table_of_architectures_is_that_of_its_slopes():
    page = architectures.PAGE.read_text(encoding="utf-8")
    slopes = read_csv(architectures.PNG.with_suffix(".csv"))
    begin, end = architectures.BEGIN, architectures.END
    assert between(page, begin, end, architectures.table(slopes)) == page
    assert set(slopes["architecture"]) == set(architectures.architectures(4))
    assert "list 'rnn' in unchanged" in architectures.refusal()


@pytest.mark.parametrize("remedy", ["freeze", "list"])
def test_a_recurrent_layer_that_is_frozen_or_listed_lets_the_others_be_set(remedy):
    model, x = networks.Recurrent(8), torch.ones(1, 3, 4)
    if remedy == "freeze":
        model.rnn.requires_grad_(False)
    unchanged = [] if remedy == "freeze" else ["rnn"]
    applied = dynparam.apply(
        model, "dynamic", learning_rate=0.1, optimizer="adamw", sample_input=x, unchanged=unchanged
    )
    assert [(layer.name, layer.readout) for layer in applied.layers] == [("stem", False), ("head", True)]
    roles = {setting.role for setting in applied.settings if setting.layer == "rnn"}
    assert roles == {"frozen" if remedy == "freeze" else "unchanged"}


def test_a_small_measurement_of_architectures_runs_and_knows_where_theory_ends():
    settings = architectures.Settings(widths=(16, 64), seeds=2, parametrizations=("dynamic",))
    slopes = architectures.measure(settings)
    known = slopes.groupby("architecture")["why_no_orders"].first()
    assert list(known.index[known == ""]) == ["CNN", "MLP", "autoencoder", "bottleneck MLP"]
    assert "NativeBatchNorm" in known["ResNet, BatchNorm"]
    assert "NativeLayerNorm" in known["GPT"]


def test_the_text_of_the_gpt_is_right_arithmetic():
    written = "".join(gpt.CHARACTERS[token] for token in gpt.text(50, seed=0))
    for line in written.removesuffix(".").split("."):
        a, b, total = re.fullmatch(r"(\d\d)\+(\d\d)=(\d{3})", line).groups()
        assert int(a) + int(b) == int(total)
    before, after = gpt.windows(gpt.text(50, seed=0), 7, seed=0)
    assert before.shape == after.shape == (7, gpt.LENGTH)
    assert torch.equal(before[:, 1:], after[:, :-1])


def test_a_position_of_the_gpt_sees_none_behind_it():
    model, (before, _) = networks.GPT(16), gpt.windows(gpt.text(50, seed=0), 3, seed=0)
    changed = before.clone()
    changed[:, 9] = (changed[:, 9] + 1) % networks.TOKENS
    moved = (model(before) - model(changed)).abs().amax(dim=(0, 2)) > 1e-5
    assert moved.tolist() == [False] * 9 + [True] * (networks.LENGTH - 9)


def test_a_quick_gpt_from_nothing_to_files(tmp_path, capsys):
    gpt.main(["--quick", "--output", str(tmp_path)])
    record = json.loads((tmp_path / f"{gpt.NAME}.json").read_text())
    runs = pd.read_csv(tmp_path / f"{gpt.NAME}.csv")
    assert record["inputs"] == {}
    settings = gpt.Settings.model_validate(record["config"])
    assert gpt.report(runs, settings, {}) == capsys.readouterr().out.strip()
    assert (runs["train_loss"] < 3).all()


def test_a_delay_ends_where_the_loss_is_halved():
    """Beside steps taken by hand with torch's own optimizer, and between two of them."""
    settings = delay_under_adam.Settings(rates={"sgd": {"dynamic": 0.001}}, steps=500)
    found = delay_under_adam.delay("sgd", "dynamic", 64, 0, settings)
    x = torch.randn(1, settings.inputs, generator=torch.Generator().manual_seed(0))
    model = networks.chain(settings.inputs, 64, 48, 64, 48, 64, 2)
    applied = dynparam.apply(model, "dynamic", learning_rate=0.001, sample_input=x, seed=0)
    optimizer = torch.optim.SGD(applied.parameter_groups)
    losses = []
    for _ in range(math.ceil(found) + 1):
        loss = (model(x) - torch.tensor([[1.0, 0.0]])).square().sum() / 2
        losses.append(loss.item() / 0.5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    start = losses[0]
    assert losses[math.floor(found)] > start / 2 >= losses[math.ceil(found)]
    never = settings.model_copy(update={"steps": 2})
    assert math.isinf(delay_under_adam.delay("sgd", "dynamic", 64, 0, never))


@pytest.mark.parametrize(
    "example", [learning_rate_transfer, bottleneck_autoencoder, delay_under_adam, gpt]
)
def test_nothing_is_told_apart_by_colour_alone(example):
    """In grey print, from the published data."""
    stem = FIGURES / example.NAME
    facts = json.loads(stem.with_suffix(".json").read_text())["facts"]
    assert not grey.faults(example.draw(read_csv(stem.with_suffix(".csv")), facts, Sheet()))


def test_the_legend_of_delays_under_adam_lies_on_no_error_bar():
    """Below the panels, from the published data."""
    runs = read_csv(FIGURES / "example_delay_under_adam.csv")
    figure = delay_under_adam.draw(runs, {}, Sheet())
    assert not any(axis.get_legend() for axis in figure.axes)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["spectral", "dynamic"]


# What the figures say.

PUBLISHED = {
    "example_learning_rate_transfer": learning_rate_transfer,
    "example_bottleneck_autoencoder": bottleneck_autoencoder,
    "example_delay_under_adam": delay_under_adam,
    "example_gpt": gpt,
    "architectures": architectures,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_message_stands_above_the_panels_and_lies_on_nothing(name):
    """From the published data; the published sidecar holds it too."""
    record = json.loads((FIGURES / f"{name}.json").read_text())
    runs, example = read_csv(FIGURES / f"{name}.csv"), PUBLISHED[name]
    settings = example.Settings.model_validate(record["config"])
    said = example.message(runs, settings, record["facts"])
    assert record["message"] == said
    assert record["checksum"] == checksum(record)
    figure = example.draw(runs, record["facts"], Sheet(message=said))
    assert figure.get_suptitle().replace("\n", " ") == typeset(said)
    assert not faults(figure)


@pytest.mark.parametrize(
    ("courses", "sentence"),
    [
        ({"mup": "stays"}, "stays under mup"),
        ({"a": "stays", "b": "moves", "c": "stays"}, "stays under a and c and moves under b"),
        ({"a": "stays", "b": "moves", "c": "falls"}, "stays under a, moves under b, and falls under c"),
    ],
)
def test_each_course_is_said_once(courses, sentence):
    assert told(courses) == sentence


@pytest.mark.parametrize(
    ("exponents", "sentence"),
    [
        ({"dynamic": 0, "standard": -1}, "stays under dynamic and moves under standard"),
        ({"dynamic": -1, "standard": 0}, "stays under standard and moves under dynamic"),
        ({"dynamic": 0, "mup": 0}, "stays under dynamic and mup"),
    ],
)
def test_best_rates_are_told_as_they_were_planted(exponents, sentence):
    tables = [planted(exponent).assign(parametrization=name) for name, exponent in exponents.items()]
    for example, start in ((learning_rate_transfer, "As networks widen"), (gpt, "As the GPT widens")):
        said = example.message(pd.concat(tables, ignore_index=True), example.FULL, {})
        assert said == f"{start}, the best learning rate {sentence}"


def test_cases_of_one_parametrization_are_told_apart_by_their_inputs():
    runs = pd.concat([planted(0), planted(0, 0.5).assign(n_0=3072)], ignore_index=True)
    said = learning_rate_transfer.message(runs, learning_rate_transfer.FULL, {})
    told_of = "stays under dynamic (n_0 = 192) and may stay or move under dynamic (n_0 = 3072)"
    assert said == f"As networks widen, the best learning rate {told_of}"


def final_losses(losses):
    """A table of losses at two widths, rates and seeds; the seeds' losses are a tenth apart.

    ``losses`` maps a parametrization to the widest network's loss at the rate that is best for the
    narrowest, and at the other.
    """
    rows = [
        (name, n, rate, seed, 300, loss + 0.1 * seed)
        for name, (kept, other) in losses.items()
        for n, at_rates in ((64, {1.0: 1.0, 2.0: 2.0}), (1024, {1.0: kept, 2.0: other}))
        for rate, loss in at_rates.items()
        for seed in range(2)
    ]
    return pd.DataFrame(rows, columns=["parametrization", "n", "learning_rate", "seed", "step", "loss"])


@pytest.mark.parametrize(
    ("losses", "leading", "kept"),
    [
        ({"mup": (0.5, 0.9), "ntk": (0.9, 0.7)}, "mup", "worse there under ntk"),
        ({"mup": (0.9, 0.7), "ntk": (0.5, 0.9)}, "ntk", "worse there under mup"),
        ({"mup": (0.5, 0.9), "ntk": (0.55, 0.9)}, "mup and ntk", "no worse there under any"),
        ({"mup": (0.55, 0.5), "ntk": (0.9, 0.7)}, "mup", "worse there under ntk"),
        ({"a": (math.inf, 0.5), "b": (math.inf, 0.5)}, "a and b", "worse there under a and b"),
    ],
)
def test_losses_of_autoencoders_are_told_apart_if_no_seeds_overlap(losses, leading, kept):
    said = bottleneck_autoencoder.message(final_losses(losses), bottleneck_autoencoder.FULL, {})
    assert said == f"At n = 1024 {leading} reach the least loss; the best rate of n = 64 is {kept}"


def delays(exponents, scatter=0.02):
    """Delays 50 n^exponent of four seeds, which differ by a factor that does not change with n."""
    settings = delay_under_adam.Settings()
    rows = [
        (optimizer, name, n, seed, 50 * n**exponent * (1 + scatter * (seed - 1.5)))
        for (optimizer, name), exponent in exponents.items()
        for n in settings.widths
        for seed in range(4)
    ]
    return pd.DataFrame(rows, columns=list(delay_under_adam.COLUMNS))


@pytest.mark.parametrize(
    ("sgd", "adam", "scatter", "with_sgd", "with_adam"),
    [
        (0.25, 0.0, 0.02, "grows under dynamic (n^0.25)", "stays under dynamic"),
        (0.0, 0.25, 0.02, "stays under dynamic", "grows under dynamic (n^0.25)"),
        (-0.2, 0.1, 0.02, "falls under dynamic (n^-0.20)", "grows under dynamic (n^0.10)"),
        (0.0, 0.9, 0.6, "may grow or fall under dynamic", "grows under dynamic (n^0.90)"),
    ],
)
def test_delays_are_told_as_they_were_planted(sgd, adam, scatter, with_sgd, with_adam):
    """In the last case seeds scatter too much for a delay that stays."""
    runs = delays({("sgd", "dynamic"): sgd, ("adam", "dynamic"): adam}, scatter)
    said = delay_under_adam.message(runs, delay_under_adam.FULL, {})
    assert said == f"The delay {with_sgd} with SGD; it {with_adam} with Adam"


def alignments(intervals):
    """Rows of a check's slopes with a tolerance of 0.2; beside them updates, which are no alignments."""
    rows = [
        (name, quantity, low, high, verdict)
        for name, found in intervals.items()
        for low, high, verdict in found
        for quantity in ("alignment", "update")
    ]
    return pd.DataFrame(rows, columns=["parametrization", "quantity", "ci_low", "ci_high", "verdict"])


STAYING, OPEN = (-0.1, 0.1, "holds"), (0.1, 0.3, "undecided")
GROWING, FALLING = (0.3, 0.5, "fails"), (-0.5, -0.3, "fails")


@pytest.mark.parametrize(
    ("dynamic", "standard", "of_dynamic", "of_one"),
    [
        ([STAYING] * 3, [GROWING] * 3, "stays in all 3", "grows in all 3"),
        ([GROWING] * 3, [STAYING] * 3, "grows in all 3", "stays in all 3"),
        (
            [STAYING, OPEN, STAYING],
            [GROWING, FALLING, STAYING],
            "stays in 2 and is undecided in 1 of 3",
            "stays in 1, grows in 1, and shrinks in 1 of 3",
        ),
    ],
)
def test_alignments_of_architectures_are_told_by_their_verdicts(dynamic, standard, of_dynamic, of_one):
    slopes = alignments({"dynamic": dynamic, "standard": standard})
    assert architectures.message(slopes, architectures.Settings(), {}) == (
        f"As networks widen, the alignment {of_dynamic} layers with the rates of dynamic; "
        f"it {of_one} layers with one rate for all"
    )


def test_the_published_alignments_are_counted_by_their_intervals():
    """Without the verdicts that the table holds."""
    slopes = read_csv(FIGURES / "architectures.csv")
    kept = slopes[slopes["quantity"] == "alignment"]
    ours, others = (kept[kept["parametrization"] == name] for name in ("dynamic", "standard"))
    within = (ours["ci_low"] >= -0.2) & (ours["ci_high"] <= 0.2)
    said = architectures.message(slopes, architectures.Settings(), {})
    assert f"stays in {within.sum()} and is undecided in {(~within).sum()} of {len(ours)} layers" in said
    assert (others["ci_low"] > 0.2).all()
    assert f"grows in all {len(others)} layers with one rate for all" in said
