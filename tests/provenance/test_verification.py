"""Verification: a chain of files from a figure to its sources, whole and broken at every link."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from dynparam.configuration.choices import load_open_choices
from dynparam.configuration.config import Config
from dynparam.configuration.jobs import ConfiguredStages
from dynparam.configuration.loading import load
from dynparam.experiments.alignments.settings import for_fit
from dynparam.provenance import record as provenance
from dynparam.provenance import remaking, verification_tree
from dynparam.provenance.record import write_sidecar
from dynparam.provenance.sidecars import (
    Sidecar,
    ancestry,
    as_text,
    checksum,
    find_sidecar,
    is_inside,
    read_sidecar,
    sidecars_below,
)
from dynparam.provenance.verification import Verifier, wanted_files
from dynparam.provenance.verification_tree import AGREES, DIFFERS, MISSING
from dynparam.report.stages import STAGES
from dynparam.settings.shared import Fit
from dynparam.support.errors import DataError

ROOT = Path(__file__).parents[2]
CONFIG = load(Config, [ROOT / "config" / "thesis.yaml"])
CONFIGURED = ConfiguredStages(
    CONFIG, load_open_choices(ROOT / "config" / "open_choices.yaml", CONFIG), STAGES
)
SETTINGS = for_fit(CONFIG)

REPEATABLE = {tuple(stage.command.split()) for stage in STAGES.values() if stage.repeatable}

CHAIN = {
    "data/raw/cifar10.json": ["data/raw/batches/test_batch"],
    "data/processed/pair.json": ["data/processed/pair.npz"],
    "results/probe/curve.json": ["results/probe/curve.csv"],
    "results/fits/curve.json": ["results/fits/curve.csv", "results/fits/extra.csv"],
    "figures/fig.json": ["figures/fig.png", "figures/fig.pdf", "figures/fig.csv"],
}
INPUTS = {
    "data/raw/cifar10.json": [],
    "data/processed/pair.json": ["data/raw/batches/test_batch"],
    "results/probe/curve.json": ["data/processed/pair.npz"],
    "results/fits/curve.json": ["results/probe/curve.csv", "config/entries.yaml"],
    "figures/fig.json": ["results/probe/curve.csv", "results/fits/extra.csv"],
}
NOW = 1000.0
"""What the clock of sidecars shows in these tests: seconds of real work are none of theirs."""

FIGURE = Path("figures/fig.png")
MADE = [file for files in CHAIN.values() for file in files]
FILES = [*CHAIN, *MADE]


def made(sidecar: str, settings: Fit = SETTINGS) -> None:
    """Record the files of ``sidecar`` as made by a stage."""
    write_sidecar(
        Path(sidecar),
        [Path(file) for file in CHAIN[sidecar]],
        settings,
        inputs=[Path(file) for file in INPUTS[sidecar]],
        started=NOW - 10,
        code={"stage": "fit_slopes", "digest": STAGES["fit_slopes"].digest()},
    )


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """Files of every level with their sidecars, in a directory of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(provenance, "time", SimpleNamespace(monotonic=lambda: NOW))
    for number, file in enumerate(["config/entries.yaml", *MADE]):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(f"content {number}\n")
    for sidecar in CHAIN:
        made(sidecar)
    return tmp_path


def verify(path=FIGURE, root=None):
    return Verifier(CONFIGURED, root).check(Path(path))


def code_of(path=FIGURE):
    return verification_tree.exit_code([verify(path)])


def states(node, *wanted):
    """Findings in one of the states, as ``kind subject``."""
    return {f"{one.kind} {one.subject}" for one in node.all_findings() if one.state in wanted}


def names(node):
    return {node.name} | {name for child in node.rests_on for name in names(child)}


def test_a_whole_chain_agrees_down_to_its_sources(chain):
    node = verify()
    assert states(node, "differs", "missing", "older") == set()
    assert states(node, "not recorded", "not compared") == set()
    assert names(node) == {"figures/fig.png", *CHAIN} - {"figures/fig.json"}
    assert verification_tree.summary(node) == "figures/fig.png: agrees with the 4 records it rests on."


@pytest.mark.parametrize("file", FILES)
def test_any_changed_byte_is_noticed(chain, file):
    path = Path(file)
    whole = path.read_bytes()
    step = 1 if len(whole) < 100 else 83
    for place in range(0, len(whole), step):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert code_of() in (DIFFERS, MISSING), f"byte {place} of {file}"
    path.write_bytes(whole)
    assert code_of() == AGREES


def test_a_changed_source_is_noticed(chain):
    Path("config/entries.yaml").write_text("other\n")
    assert states(verify(), "differs") == {"input config/entries.yaml"}


@pytest.mark.parametrize("file", FILES)
def test_any_missing_file_is_noticed(chain, file):
    Path(file).unlink()
    if file == "figures/fig.json":
        assert states(verify(), "missing") == {"sidecar fig.png"}
    assert code_of() == MISSING


def test_a_chain_that_is_cut_says_what_agrees_and_what_to_run(chain):
    """What a fresh clone has: figures with their sidecars, no results."""
    import shutil

    shutil.rmtree("results")
    node = verify()
    assert verification_tree.exit_code([node]) == MISSING
    assert verification_tree.summary(node) == (
        "figures/fig.png: 3 files and sidecar agree; of what is behind them 2 files are not here, "
        "run: snakemake --cores all results/probe/curve.csv results/fits/extra.csv"
    )


def test_results_made_again_are_told_from_changed_ones(chain):
    trials = Path("results/probe/curve.csv")
    trials.write_text("other\n")
    notes = {one.note for one in verify().findings if one.state == "differs"}
    assert notes == {"changed after it was made"}
    made("results/probe/curve.json")
    (note,) = (one.note for one in verify().findings if one.state == "differs")
    assert note.startswith("made again on 20")


def test_another_configuration_and_other_code_are_no_fault(chain, monkeypatch):
    made(
        "figures/fig.json",
        SETTINGS.model_copy(update={"fit": Fit(**{**vars(SETTINGS.fit), "resamples": 199})}),
    )
    monkeypatch.setattr(CONFIGURED, "code_digest", lambda stage: "another")
    node = verify()
    assert verification_tree.exit_code([node]) == AGREES
    (note,) = (one.note for one in node.findings if one.kind == "configuration")
    assert note == "not that of the present configuration (fit.resamples: 199, here 9999)"
    assert "by other code than the present" in verification_tree.summary(node)


@pytest.mark.parametrize(("count", "told"), [(0, ""), (1, " (k0)"), (3, " (k0, k1, k2)")])
def test_up_to_three_changes_of_the_configuration_are_told(chain, count, told):
    changes = [f"k{number}" for number in range(count)]
    known = SimpleNamespace(
        has=lambda digest: False, differences=lambda recorded: changes, code_digest=lambda stage: None
    )

    def note():
        findings = Verifier(known).check(FIGURE).findings
        (found,) = (one for one in findings if one.kind == "configuration")
        assert found.state == "older"
        return found.note.removeprefix("not that of the present configuration")

    assert note() == told
    changes += ["k3", "k4"]
    assert note().endswith(", ...)") == (count > 1)


def rewritten(sidecar, **changes):
    """A sidecar with entries changed and a checksum that fits: what a careful hand could write."""
    record = {**json.loads(Path(sidecar).read_text()), **changes}
    record["checksum"] = checksum(record)
    Path(sidecar).write_text(as_text(record))


@pytest.mark.parametrize("change", [lambda text: text + "\n", lambda text: text.replace(": ", ":  ", 1)])
def test_a_sidecar_of_the_same_values_in_another_text_is_noticed(chain, change):
    """Nobody but the program writes sidecars: one that a hand has touched is told."""
    sidecar = Path("figures/fig.json")
    values = json.loads(sidecar.read_text())
    sidecar.write_text(change(sidecar.read_text()))
    assert json.loads(sidecar.read_text()) == values
    assert {one.note for one in verify().findings if one.state == "differs"} == {
        "changed after it was written"
    }


def test_a_wrong_digest_of_the_configuration_is_noticed(chain):
    rewritten("figures/fig.json", config={"fit": {"seed": 1}})
    (found,) = (one for one in verify().findings if one.kind == "configuration")
    assert found.state == "differs"


@pytest.mark.parametrize(
    "key",
    [
        "../secret.csv",
        "/etc/hostname",
        "results/../../secret.csv",
        "a\0b",
        "",
        "\ud800",
        "x" * 5000,
        "a\x1b[2Jb",
    ],
)
def test_paths_that_lead_out_are_not_followed(chain, key, monkeypatch):
    chain.parent.joinpath("secret.csv").write_text("secret")
    opened = []
    monkeypatch.setattr(
        "dynparam.provenance.verification.sha256", lambda path: opened.append(path) or "0" * 64
    )
    assert not is_inside(key)
    record = json.loads(Path("figures/fig.json").read_text())
    record |= {"inputs": {key: "0" * 64}, "outputs": {key: "0" * 64}, "place": key}
    Path("figures/fig.json").write_text(json.dumps(record))
    node = verify("figures/fig.json")
    assert {one.state for one in node.findings if one.kind in ("input", "output")} == {"differs"}
    assert opened == []
    text = verification_tree.as_json([node]) + verification_tree.summary(node)
    assert "\x1b" not in text
    text.encode()


def test_a_circle_ends(chain):
    record = json.loads(Path("results/probe/curve.json").read_text())
    rewritten("results/probe/curve.json", inputs={"figures/fig.csv": record["outputs"]["curve.csv"]})
    assert states(verify(), "differs") == {"input figures/fig.csv"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"outputs": 3}', "\ud800", "[" * 100_000])
def test_damaged_sidecars(chain, text):
    Path("figures/fig.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert states(verify(), "differs") == {"sidecar fig.json"}


def test_a_renamed_copy_is_known_by_its_content(chain):
    copy = chain / "copy of a figure.png"
    copy.write_bytes(FIGURE.read_bytes())
    assert code_of(copy) == AGREES
    copy.write_bytes(b"another")
    assert states(verify(copy), "missing") == {f"sidecar {copy.name}"}


def test_a_moved_run_still_agrees(chain, tmp_path_factory, monkeypatch):
    place = tmp_path_factory.mktemp("elsewhere") / "run"
    chain.rename(place)
    monkeypatch.chdir(place.parent)
    assert code_of(place / FIGURE) == AGREES


def test_paths_may_be_relative(chain, monkeypatch):
    monkeypatch.chdir("config")
    for root in (None, Path("..")):
        node = verify(Path("..") / FIGURE, root)
        assert node.name == "figures/fig.png"
        assert verification_tree.exit_code([node]) == AGREES


def test_no_such_file(chain):
    with pytest.raises(DataError, match="there is no such file"):
        verify("figures/fig9.png")


def test_sidecars_of_old_are_read(chain):
    """Before they had checksums and whole paths."""
    new = json.loads(Path("figures/fig.json").read_text())
    old = {key: new[key] for key in list(Sidecar.model_fields)[:9]}
    old["inputs"] = {"/".join(Path(key).parts[-2:]): value for key, value in new["inputs"].items()}
    Path("figures/fig.json").write_text(json.dumps(old))
    node = verify()
    assert verification_tree.exit_code([node]) == AGREES
    assert states(node, "not recorded") == {"sidecar fig.json", f"code {node.findings[-3].subject}"}
    Path("results/fits/extra.csv").write_text("changed\n")
    assert states(verify(), "missing") == {"input fits/extra.csv"}


def test_old_manifests_are_not_recorded(chain):
    Path("data/processed/pair.json").write_text('{"pair": "a", "sha256": {}}')
    assert code_of() == AGREES
    assert states(verify(), "not recorded") == {"sidecar pair.json"}


def test_sidecars_add_up_what_is_behind_them(chain):
    record = read_sidecar(Path("figures/fig.json"))
    assert record["seeds"] == {"fit.seed": [0]}
    assert record["wall_seconds"] == 10
    assert record["total_wall_seconds"] == 50, "what two of its inputs rest on counts once"
    assert record["place"] == "figures/fig.json"
    assert len(ancestry([Path("results/fits/curve.csv")])) == 4
    assert find_sidecar(chain / "data/raw/batches/test_batch") == chain / "data/raw/cifar10.json"


def test_a_former_self_adds_nothing(chain):
    """Made again from files that rest on what is replaced: its time and its seeds are no part."""
    former = json.loads(Path("figures/fig.json").read_text())
    rewritten("figures/fig.json", config={"fit": {"seed": 7}})
    rewritten("results/probe/curve.json", inputs={"figures/fig.csv": former["outputs"]["fig.csv"]})
    assert chain / "figures/fig.json" in ancestry([Path("results/probe/curve.csv")])
    made("figures/fig.json")
    record = read_sidecar(Path("figures/fig.json"))
    assert record["total_wall_seconds"] == 30, "its own, and those of fits and trials"
    assert record["seeds"] == {"fit.seed": [0]}


def test_a_file_that_its_sidecar_does_not_list(chain):
    """Beside a sidecar of its name, or in a directory below one; the listed files are judged as ever."""
    other = Path("figures/fig.svg")
    other.write_text("drawn by hand\n")
    node = verify(other)
    (told,) = (one for one in node.findings if one.subject == "fig.svg")
    assert (told.kind, told.state) == ("output", "differs")
    assert told.note == "its sidecar does not list it"
    assert states(node, "differs") == {"output fig.svg"}
    assert verification_tree.exit_code([node]) == DIFFERS
    assert all("does not list" not in one.note for one in verify().all_findings())


def test_sidecars_below_a_directory(chain):
    Path("results/.hidden").mkdir()
    Path("results/.hidden/x.json").write_text(Path("results/fits/curve.json").read_text())
    Path("results/other.json").write_text("{}")
    found = [path.as_posix() for path in sidecars_below(Path("results"))]
    assert found == ["results/fits/curve.json", "results/probe/curve.json"]
    assert wanted_files([Path("results"), FIGURE]) == [*sidecars_below(Path("results")), FIGURE]
    with pytest.raises(DataError, match="there are no sidecars in this directory"):
        wanted_files([Path("config")])


def test_a_json_file_is_not_taken_for_its_own_sidecar(chain):
    values = Path("figures/values.json")
    values.write_text('{"a": 1}')
    write_sidecar(Path("figures/page.json"), [values], SETTINGS, started=NOW)
    assert find_sidecar(values.absolute()) == chain / "figures" / "page.json"
    assert code_of(values) == AGREES


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"command": None}, "the command that made it is not recorded"),
        ({"command": ["dynparam", "data", "retrieve"]}, "dynparam data is not repeated here"),
        ({"command": ["dynparam", "schema"]}, "dynparam schema is not repeated here"),
        (
            {"command": ["dynparam", "plot", "probe"], "versions": {"matplotlib": "1"}},
            "drawn with matplotlib 1",
        ),
    ],
)
def test_only_what_can_be_compared_is_made_again(chain, changes, reason):
    rewritten("figures/fig.json", **changes)
    (found,) = remaking.make_again(verify(), REPEATABLE)
    assert found.state == "not compared"
    assert found.note.startswith(reason)


@pytest.mark.parametrize("lost", ["results/fits/extra.csv", "results/probe/curve.csv"])
def test_nothing_is_made_again_without_an_input(chain, lost):
    rewritten("figures/fig.json", command=["dynparam", "plot", "probe", "x"])
    Path(lost).unlink()
    (found,) = remaking.make_again(verify(), REPEATABLE)
    assert (found.state, found.note) == ("not compared", f"{lost} is not there as recorded")


def test_inputs_that_are_too_large_together_are_not_copied(chain, monkeypatch):
    """Each of them is small enough."""
    sizes = [Path(one).stat().st_size for one in INPUTS["figures/fig.json"]]
    rewritten("figures/fig.json", command=["dynparam", "plot", "probe", "x"])
    monkeypatch.setattr(remaking, "MAX_INPUT_BYTES", sum(sizes) - 1)
    assert max(sizes) < sum(sizes) - 1
    (found,) = remaking.make_again(verify(), REPEATABLE)
    assert found.note.startswith("its inputs are larger than")
    monkeypatch.setattr(remaking, "MAX_INPUT_BYTES", sum(sizes))
    (found,) = remaking.make_again(verify(), REPEATABLE)
    assert "larger than" not in found.note


def test_nothing_is_made_again_from_changed_inputs(chain):
    rewritten("figures/fig.json", command=["dynparam", "plot", "probe", "x"])
    Path("results/fits/extra.csv").write_text("changed\n")
    (found,) = remaking.make_again(verify(), REPEATABLE)
    assert found.note == "results/fits/extra.csv is not there as recorded"
