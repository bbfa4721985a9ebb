"""Facts about the repository itself: its environments, lock files and documents agree."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import typer
import yaml

from dynparam.cli.main import app
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.training_curves.claims import judge_all
from dynparam.experiments.training_curves.settings import for_claims
from dynparam.presentation.sentences import with_error
from dynparam.report.contents import needed
from dynparam.support.tables import read_csv
from tests.markdown import broken_links

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUN = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["workflow"]]
"""What the workflow needs: the library's own needs, and its."""
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "snakemake": "snakemake-minimal",
    "torch": "pytorch",
}
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-torch-needs.lock",
    "requirements-torch.txt",
)


def tracked_files():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def test_conda_environment_equals_pyproject():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    expected = [
        re.sub(r"^[\w-]+", lambda name: CONDA_NAMES.get(name[0], name[0]), requirement)
        for requirement in RUN
    ]
    found = [item for item in conda if isinstance(item, str) and item != "pip"]
    assert sorted(found) == sorted([f"python{PROJECT['requires-python']}", *expected])
    assert {"pip": ["--editable ."]} in conda


def pins(name):
    return dict(re.findall(r"^([\w.-]+)==([\w.+]+)", (ROOT / name).read_text(), re.MULTILINE))


def test_every_dependency_is_pinned():
    pinned = (
        pins("requirements.lock")
        | pins("requirements-torch-needs.lock")
        | pins("requirements-torch.txt")
    )
    for requirement in RUN:
        assert re.match(r"[\w-]+", requirement)[0] in pinned


def test_development_pins_extend_the_others():
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert runtime.items() <= development.items()


def test_locked_files_have_hashes():
    for name in LOCKS[:3]:
        text = (ROOT / name).read_text()
        requirements = re.split(r"\n(?=\S)", text.strip())
        assert all("--hash=sha256:" in requirement for requirement in requirements)


@pytest.mark.parametrize("name", LOCKS)
def test_locks_name_no_host(name):
    assert "://" not in (ROOT / name).read_text()
    assert not re.search(r"^\s*--(index|extra|find)", (ROOT / name).read_text(), re.MULTILINE)


def test_version_is_told_once():
    import dynparam

    assert dynparam.__version__ == PROJECT["version"]
    for told in (CITATION, described("codemeta.json"), described(".zenodo.json")):
        assert told["version"] == PROJECT["version"]
    changes = re.findall(r"^## (\S+?),", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert changes[0] == PROJECT["version"]


def described(name):
    return json.loads((ROOT / name).read_text())


def test_descriptions_for_archives_are_those_of_the_citation():
    abstract = CITATION["abstract"]
    for told, people in (("codemeta.json", "author"), (".zenodo.json", "creators")):
        file = described(told)
        assert file["description"] == abstract
        assert file["keywords"] == CITATION["keywords"]
        assert [one["name"] for one in file[people]] == [one["name"] for one in CITATION["authors"]]
        assert CITATION["license"] in file["license"]


def test_hooks_before_a_commit_are_the_checks_of_lint():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook["entry"] for repository in config["repos"] for hook in repository["hooks"]]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    commands = [line.strip().removesuffix(" .") for line in lint.splitlines()]
    assert hooks == commands


def test_the_image_sets_up_what_a_checkout_does():
    """It cannot be built here: what it names is there, and its Python is one that the locks serve."""
    text = (ROOT / "Containerfile").read_text()
    assert re.search(r"^FROM python:3\.(\d+)-slim$", text, re.MULTILINE)[1] in ("11", "12", "13")
    assert '"$PWD/.venv/run-ready"' in text
    assert re.search(r"^\$\(VENV\)/run-ready:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def cells(page, column):
    rows = re.findall(r"^\|(.+)\|$", (ROOT / page).read_text(), re.MULTILINE)
    return [row.split("|")[column].strip() for row in rows][2:]


def test_the_artifact_guide_expects_what_the_findings_quote():
    quoted = (ROOT / "docs/findings.md").read_text()
    numbers = re.findall(r"(?<![\w^])[+-]?\d+(?:\.\d+)?", " ".join(cells("ARTIFACT.md", 2)))
    assert len(numbers) > 30
    missing = [one for one in numbers if not re.search(rf"(?<![\d.]){re.escape(one)}(?![\d])", quoted)]
    assert not missing


def test_the_artifact_guide_has_the_tolerances_of_the_configuration():
    config = load(Config, [ROOT / "config" / "thesis.yaml"])
    told = dict(zip(cells("ARTIFACT.md", 1), cells("ARTIFACT.md", 3), strict=True))
    expected = {
        "`fig3_3`, `comparison`": config.comparison.tolerance,
        "`fig3_2_wide`, `fig3_3_wide`": config.comparison.tolerance,
        "`table1_1`": config.exponents.tolerance,
        "`delay_law`": config.delay_law.tolerances.exponent,
        "`fluctuations`": config.fluctuations.tolerances.logarithm,
    }
    for target, tolerance in expected.items():
        assert told[target].startswith(f"{tolerance:g} from "), target


def test_nothing_large_and_no_image_is_tracked():
    for path in tracked_files():
        if path.is_relative_to(ROOT / "figures"):
            continue
        assert path.stat().st_size <= 1_000_000, path
        assert path.suffix not in {".png", ".jpg", ".npz", ".pt", ".gz", ".safetensors"}, path


def test_links_between_documents_lead_somewhere():
    broken = []
    for path in tracked_files():
        if path.suffix == ".md":
            broken += [f"{path.relative_to(ROOT)} -> {target}" for target in broken_links(path)]
    assert not broken


def test_a_broken_link_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A title\n\n[a](#a-title) [b](#gone) [c](page.md#a-title) [d](no.md) [e](page.md#no)\n"
    )
    assert broken_links(page) == ["#gone", "no.md", "page.md#no"]


@pytest.mark.parametrize("name", ["README.md", "README.ja.md", "ARTIFACT.md", "docs/reproduce.md"])
def test_documents_name_real_targets_and_files(name):
    """Commands there exist: make targets, snakemake targets, dynparam commands."""
    readme = (ROOT / name).read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^ {4})make (\w+)", readme, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    config = load(Config, [ROOT / "config" / "thesis.yaml"])
    targets = {"all", *(target for _, target in needed(config))}
    snakefile = (ROOT / "workflow" / "Snakefile").read_text()
    targets |= set(re.findall(r"^rule (\w+):", snakefile, re.MULTILINE))
    named = re.findall(r"snakemake --cores all ([a-z]\w*)", readme)
    second_column = re.findall(r"^\|[^|]+\|([^|]+)\|", readme, re.MULTILINE)
    named += re.findall(r"`(\w+)`", " ".join(second_column))
    assert len(named) >= 12
    for target in named:
        assert target in targets, target
    commands = typer.main.get_command(app).commands
    for command in re.findall(r"(?:`|^ {4})dynparam ([a-z]+)", readme, re.MULTILINE):
        assert command in commands, command


def outline(name):
    """The number of headings, the sizes of tables, and all targets that a README names, in order."""
    text = (ROOT / name).read_text()
    tables = [len(table.splitlines()) for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]
    second = [row.split("|")[2] for row in re.findall(r"^\|.+\|$", text, re.MULTILINE)]
    return len(re.findall(r"^## ", text, re.MULTILINE)), tables, re.findall(r"`(\w+)`", " ".join(second))


def test_both_readmes_have_the_same_sections_tables_and_targets():
    assert outline("README.md") == outline("README.ja.md")


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_the_claims_of_the_readme_are_those_of_the_findings(name):
    """Every number with decimals in the column of measured values stands in the findings."""
    quoted = (ROOT / "docs/findings.md").read_text()
    rows = re.findall(r"^\|[^|]+\|[^|]+\|([^|]+)\|$", (ROOT / name).read_text(), re.MULTILINE)
    numbers = re.findall(r"[+-]?\d+\.\d{2,}", " ".join(rows))
    assert len(numbers) >= 18
    assert not [one for one in numbers if one not in quoted]


def examples_of(name):
    return re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_a_parametrization_is_applied_as_the_readme_says(name, capsys):
    exec(compile(examples_of(name)[0], name, "exec"), {})
    assert "n_min = 16" in capsys.readouterr().out


def test_example_of_own_widths_runs(capsys):
    name = "docs/how-to/own-widths.md"
    exec(compile(examples_of(name)[0], name, "exec"), {})
    alignment = capsys.readouterr().out.strip("()\n").split(", ")
    assert len(alignment) == 6
    assert all(float(value) > 0 for value in alignment)


def test_no_document_names_a_package_index():
    for path in tracked_files():
        if path.suffix in {".md", ".yml", ".yaml", ".toml", ".lock", ".txt"}:
            assert not re.search(r"(index-url|find-links)\W+(https?|file):", path.read_text()), path


def slopes_in_figure(curve):
    table = pd.read_csv(ROOT / "figures" / f"{curve[:6]}.csv")
    mine = table[table["curve"] == curve].drop_duplicates("layer").sort_values("layer")
    return mine["slope"].tolist()


def test_findings_quote_slopes_that_the_committed_figures_allow():
    """The findings leave the scatter of the images out, the figures leave it in.

    Both estimate the same slopes. Those of the figures have standard errors of 0.04; three are allowed.
    """
    text = " ".join((ROOT / "docs" / "findings.md").read_text().split())
    quoted = re.search(r"and (-?[\d., +-]+) are measured", text)[1]
    drawn = slopes_in_figure("fig3_2_constant_ratio")
    assert [float(value) for value in quoted.split(",")] == pytest.approx(drawn, abs=0.12)
    for curve, told in (
        ("fig3_3_spectral", r"spectral's slopes are (\S+) to (\S+),"),
        ("fig3_3_dynamic", r"dynamic's (\S+) to (\S+),"),
    ):
        drawn = slopes_in_figure(curve)
        ends = [float(value) for value in re.search(told, text).groups()]
        assert ends == pytest.approx([min(drawn), max(drawn)], abs=0.12)


def test_findings_quote_the_archived_curves():
    """Every row of the table of primary comparisons, both tasks, follows from results/archive."""
    settings = for_claims(load(Config, [ROOT / "config" / "thesis.yaml"]))
    archive = ROOT / "results" / "archive"
    network = f"{settings.protocol.n}-{settings.protocol.n_min}"
    table = judge_all(
        settings,
        {
            (figure, name): read_csv(archive / task / network / f"{name}.csv")
            for figure, task in settings.figures.training.items()
            for name in settings.training.parametrizations
        },
    )
    text = (ROOT / "docs" / "findings.md").read_text()
    quoted = re.findall(r"^ +\| ((?:train|test) [^|]+) \| (.+) \|$", text, re.MULTILINE)
    assert [metric.replace(" ", "_", 1) for metric, _ in quoted] == list(settings.claims.endpoints)
    for metric, cells in quoted:
        rows = table[table["metric"] == metric.replace(" ", "_", 1)]
        assert cells.split(" | ") == paired_cells(rows), metric


def test_findings_quote_the_domain_study():
    """Every row of the three tables over widths follows from the committed figure's data."""
    table = pd.read_csv(ROOT / "figures" / "claim_domain.csv", dtype={"epoch": str})
    text = (ROOT / "docs" / "findings.md").read_text()
    # With intervals and verdicts: other tables begin with numbers too.
    verdicts = "holds|fails|undecided"
    quoted = re.findall(rf"^ +\| (\d+) \| ([^|]+\[.+ \| (?:{verdicts})) \|$", text, re.MULTILINE)
    expected = []
    for metric, epoch in (("test_accuracy", "50"), ("test_loss", "50"), ("test_loss", "best")):
        shown = (table["metric"] == metric) & (table["epoch"] == epoch) & (table["panel"] == "n")
        for n, rows in table[shown].groupby("n"):
            expected.append((str(n), paired_cells(rows.sort_values("task"))))
    assert [(n, cells.split(" | ")) for n, cells in quoted] == expected


def paired_cells(rows):
    """Difference with interval, and verdict, of each row, as the findings write them."""
    return [part for row in rows.to_dict("records") for part in (with_error(row), str(row["verdict"]))]


def archived_networks():
    """Draws, seeds of each and epochs of every network in the archive: sets of all that occurs."""
    found = {}
    for path in sorted((ROOT / "results/archive").glob("*/*/*.csv")):
        network, _, draw = path.parent.name.partition(".draw-")
        table = read_csv(path)
        kept = found.setdefault(network, {"draws": set(), "seeds": set(), "epochs": set()})
        kept["draws"].add(int(draw or 0))
        kept["seeds"].add(table["seed"].nunique())
        kept["epochs"].add(table["epoch"].max())
    return found


def test_the_archive_holds_what_its_page_says():
    page = (ROOT / "results/archive/README.md").read_text()
    rows = re.findall(r"^\| ([0-9]+-[0-9]+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    said = {
        network: {"draws": set(range(int(draws))), "seeds": {int(seeds)}, "epochs": {int(epochs)}}
        for network, draws, seeds, epochs in rows
    }
    assert said == archived_networks()
