"""An experiment is one folder: a new one is added to a copy of the project, and seen everywhere.

``new_experiment/`` holds its files where they belong: its folder, and its rules. Besides, a few lines go
into four files (``ELSEWHERE``). The JSON Schema, for editors, is written anew by ``dynparam schema``.
"""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dynparam.report.stages import STAGES
from tests.html_elements import Elements
from tests.workflow.conftest import made_once
from tests.workflow.sandbox import BIN, REPOSITORY, WORKFLOW_FILES, Sandbox, every_finding

NEW = Path(__file__).with_name("new_experiment")

TITLE = "Do coins fall as they are said to?"

ELSEWHERE = {
    "src/dynparam/experiments/registry.py": (
        (
            "\nEXPERIMENTS = (",
            "from dynparam.experiments.coin.stages import EXPERIMENT as COIN\n\nEXPERIMENTS = (",
        ),
        ("\n)\n", "\n    COIN,\n)\n"),
    ),
    "src/dynparam/configuration/config.py": (
        (
            "from dynparam.experiments.measured_orders",
            "from dynparam.experiments.coin.settings import Coin\n"
            "from dynparam.experiments.measured_orders",
        ),
        ("    protocol: Protocol\n", "    coin: Coin\n    protocol: Protocol\n"),
    ),
    "config/thesis.yaml": (
        (
            "\nprotocol:\n",
            "\ncoin:\n  seed: 20\n  shares: {fair: 0.5, loaded: 0.7}\n  trials: 30\n  tosses: 400\n"
            "  tolerance: 0.05\n  figure: coin\n\nprotocol:\n",
        ),
    ),
    "workflow/resources.yaml": (
        (
            "\nrules:\n",
            "\nrules:\n"
            "  judge_coins: {mem_mb: 170, seconds: 2.0}\n"
            "  plot_coins: {mem_mb: 170, seconds: 2.0}\n"
            "  toss_coin: {mem_mb: 100, seconds: 1.0}\n",
        ),
    ),
}
"""What changes outside the experiment's own files, as pairs of an old text and a new one."""

WHOLE_RUN = {"write_findings", "write_summary", "assemble_report", "export_crate"}
WHOLE_RUN |= {"write_sources", "write_companions", "write_companion", "compare_published"}
"""The stages that loop over all experiments."""

CONFIG = ("config/thesis.yaml", "overlay.yaml")

DRIVER = """
import sys
from dynparam.experiments import registry

# A whole run takes minutes; the figure of another experiment, beside it, takes seconds.
made = {"architecture", "coin"}
registry.EXPERIMENTS = tuple(one for one in registry.EXPERIMENTS if one.name in made)

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.report import findings, page, published, sources

shown, *names = sys.argv[1:]
settings = load(Config, names)
if shown == "report":
    place = settings.paths.results / "comparison" / "sources.csv"
    place.parent.mkdir(exist_ok=True)
    sources.write(sources.table(sources.all_claims(settings)), place)
    beside = place.with_name("published.csv")
    published.write(published.compare(settings), beside)
    for one in (place, beside):
        one.with_suffix(".json").write_bytes((settings.paths.figures / "coin.json").read_bytes())
print({"findings": findings, "report": page}[shown].page(settings))
"""


def add_experiment(sandbox: Sandbox) -> None:
    """Lay the new experiment's files over the copy, and change the four files that name it."""
    shutil.copytree(NEW, sandbox.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in ELSEWHERE.items():
        text = (sandbox.root / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        (sandbox.root / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def sandbox(shared, invented):
    """The copy with the experiment, its target made, and one figure of another experiment."""
    return made_once(shared / "new", invented, "coin", "fig3_1", prepare=add_experiment)


def run(sandbox: Sandbox, *command: str) -> str:
    """What a program prints that runs on the copy's sources."""
    done = subprocess.run(
        command, cwd=sandbox.root, env=sandbox.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shares(sandbox):
    with (sandbox.root / "results" / "coin" / "shares.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_nothing_changes_outside_but_four_files(sandbox):
    """Of the copied files; all others are the experiment's own, which the project does not have."""
    # The package's own configuration is the file in config/, by a link that the copy does not keep.
    kept = {
        path: content
        for path, content in sandbox.files().items()
        if path.split("/")[0] in WORKFLOW_FILES and "settings/defaults" not in path
    }
    own = {str(path.relative_to(NEW)) for path in NEW.rglob("*") if path.suffix != ".pyc"}
    there = {path for path in kept if (REPOSITORY / path).is_file()}
    assert set(kept) - there <= own
    assert {path for path in there if kept[path] != (REPOSITORY / path).read_bytes()} == set(ELSEWHERE)
    assert not own & {str(path) for path in ELSEWHERE}


def test_it_has_a_folder_and_a_rule_file():
    files = {path.relative_to(NEW).as_posix() for path in NEW.rglob("*.*")}
    rules = {path for path in files if not path.startswith("src/dynparam/experiments/coin/")}
    assert rules == {"workflow/rules/coin.smk"}


def test_its_commands_are_there(sandbox):
    assert re.search(rf"\bcoin\b.*{re.escape(TITLE)}", run(sandbox, "dynparam", "--help"))
    own = run(sandbox, "dynparam", "coin", "--help")
    assert "Toss one coin." in own
    assert re.search(r"\bjudge\b.*Judge whether coins", own)
    assert re.search(r"\bcoins\b.*Draw the share of heads", run(sandbox, "dynparam", "plot", "--help"))


def test_its_rules_and_its_target_are_planned(sandbox):
    planned = sandbox.snakemake("-n", "coin", "--forceall")
    assert planned.counts == {
        "toss_coin": 2,
        "judge_coins": 1,
        "plot_coins": 1,
        "coin": 1,
        "total": 5,
    }


def test_its_figure_says_where_it_came_from(sandbox):
    record = json.loads((sandbox.root / "results/figures/coin.json").read_text())
    assert record["code"]["stage"] == "plot_coins"
    assert record["seeds"]["coin.seed"] == [20]
    assert set(record["inputs"]) == {f"results/coin/tosses/{one}.csv" for one in ("fair", "loaded")}
    assert set(record["outputs"]) == {"coin.png", "coin.svg", "coin.pdf", "coin.csv"}
    verified = sandbox.dynparam(
        "verify", "results/figures/coin.png", "results/coin/shares.html", "--json"
    )
    assert verified.code == 0, verified.text
    findings = [one for file in json.loads(verified.stdout)["files"] for one in every_finding(file)]
    assert {one["state"] for one in findings} == {"agrees"}
    stages = {one["note"] for one in findings if one["kind"] == "code"}
    assert stages == {"toss_coin", "judge_coins", "plot_coins"}


def test_it_repeats_no_other_job(sandbox):
    """Other stages keep the code they can reach, but for those that show every experiment."""
    script = "import json; from dynparam.report.stages import STAGES as s; "
    script += "print(json.dumps({name: stage.digest() for name, stage in s.items()}))"
    with_coins = json.loads(run(sandbox, sys.executable, "-c", script))
    assert set(with_coins) - set(STAGES) == {"toss_coin", "judge_coins", "plot_coins"}
    assert {name for name in STAGES if STAGES[name].digest() != with_coins[name]} == WHOLE_RUN


def test_the_report_shows_it(sandbox, shares):
    html = run(sandbox, sys.executable, "-c", DRIVER, "report", *CONFIG)
    elements = Elements(html)
    anchors = {attributes["id"] for _, attributes in elements.found if "id" in attributes}
    assert {"figure-fig3_1", "figure-coin", "coins"} <= anchors
    contents = html[html.index("<nav") : html.index("</nav>")]
    assert '<a href="#coins">Coins</a>' in contents
    counted = html[html.index('<table class="counts">') :].partition("</table>")[0]
    assert '<a href="#coins">Coins</a>' in counted
    assert "do they fall as they are said to?" in counted
    table = html[html.index('<section id="coins"') :].partition("</section>")[0]
    assert [row["coin"] for row in shares] == ["fair", "loaded"]
    for row in shares:
        assert f"+{float(row['share']):.3f}" in table
        assert row["verdict"] in table
    figure = html[html.index('<figure id="figure-coin"') :].partition("</figure>")[0]
    assert TITLE in figure
    assert "Invented coins: the share of heads" in figure
    assert "snakemake --cores all coin" in html


def test_the_findings_tell_it(sandbox, shares):
    changed = '{"coin": {"tosses": 123}}'
    told = run(sandbox, sys.executable, "-c", DRIVER, "findings", *CONFIG, changed)
    assert "## Of coins\n\n1. **Coins fall as they are said to**" in told
    assert "tossed 123 times in each of" in told, "a setting comes from the configuration"
    for row in shares:
        assert f"{row['coin']} {float(row['share']):.3f}" in told


def test_wings_and_experiments_stay_apart(sandbox):
    assert "Contracts: 3 kept, 0 broken." in run(sandbox, str(BIN / "lint-imports"), "--no-cache")
