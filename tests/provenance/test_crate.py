"""The RO-Crate of a finished run: re-read, walked as JSON-LD, and refused where the run is broken."""

import hashlib
import json
import shutil
import socket
import time
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from dynparam.provenance.crate import PROFILES, FinishedRun, read_run, write_crate
from dynparam.provenance.record import write_sidecar
from dynparam.settings.shared import Fit, Paths
from dynparam.support.errors import DataError

ROOT = Path(__file__).parents[2]
SETTINGS = Fit(seed=3, confidence=0.9, resamples=100)
PATHS = Paths(data=Path("data"), results=Path("results"), figures=Path("figures"))
SECRET = b"pixels of CIFAR-10"
STAGES = {
    "data/processed/pair.json": (["data/processed/pair.npz"], []),
    "results/probe/curve.json": (["results/probe/curve.csv"], ["data/processed/pair.npz"]),
    "results/audit/a.json": ([], ["results/probe/curve.csv"]),
    "figures/fig.json": (
        ["figures/fig.png", "figures/fig.csv"],
        ["results/probe/curve.csv", "results/audit/a.json"],
    ),
    "docs/page.json": (["docs/page.md"], ["figures/fig.csv"]),
}


def make(sidecar):
    """The files of a stage, invented, and their record."""
    outputs, inputs = ([Path(path) for path in paths] for paths in STAGES[sidecar])
    for path in outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SECRET if path.suffix == ".npz" else path.name.encode())
    Path(sidecar).parent.mkdir(parents=True, exist_ok=True)
    write_sidecar(
        Path(sidecar),
        outputs,
        SETTINGS,
        inputs=inputs,
        started=time.monotonic() - 5,
        code={"stage": "plot_figure", "digest": "0123456789abcdef"},
    )


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A repository with a small finished run."""
    root = tmp_path / "repository"
    for folder in ("workflow", "config"):
        shutil.copytree(ROOT / folder, root / folder, symlinks=True)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, root)
    monkeypatch.chdir(root)
    for sidecar in STAGES:
        make(sidecar)
    return root


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a crate must not need the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def run(root):
    return read_run(root, PATHS, [Path("docs/page.md"), Path("docs/absent.md")])


def export(root, name="crate"):
    output = root.parent / name
    write_crate(run(root), output)
    return output


def references(value):
    """Every ``{"@id": ...}`` in a value of an entity."""
    if isinstance(value, list):
        return [one for part in value for one in references(part)]
    return [value["@id"]] if isinstance(value, dict) else []


def types(entity):
    return entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]


def faults(folder):
    """What RO-Crate 1.1 and the profiles require and the crate in ``folder`` lacks."""
    document = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    graph = {entity["@id"]: entity for entity in document["@graph"]}
    found = [] if len(graph) == len(document["@graph"]) else ["an @id twice"]
    if "https://w3id.org/ro/crate/1.1/context" not in document["@context"]:
        found.append("no context")
    descriptor, root = graph["ro-crate-metadata.json"], graph["./"]
    # Workflow RO-Crate adds its own profile to that of the standard.
    if "https://w3id.org/ro/crate/1.1" not in references(descriptor["conformsTo"]):
        found.append("the descriptor conforms to something else")
    if descriptor["about"] != {"@id": "./"} or types(root) != ["Dataset"]:
        found.append("no root")
    found += [f"root without {k}" for k in ("name", "description", "license") if not root.get(k)]
    datetime.fromisoformat(root["datePublished"])
    parts = set(references(root["hasPart"]))
    for address, entity in graph.items():
        for key, value in entity.items():
            dangling = [one for one in references(value) if one not in graph]
            # Addresses on the web need no entity; the descriptor and the language name some.
            found += [f"{address}.{key} -> {one}" for one in dangling if "://" not in one]
        if "File" in types(entity):
            content = (folder / address).read_bytes() if (folder / address).is_file() else b""
            if entity["sha256"] != hashlib.sha256(content).hexdigest():
                found.append(f"{address} is not the file")
            if address not in parts:
                found.append(f"{address} is no part")
        if "CreateAction" in types(entity):
            (instrument,) = references(entity["instrument"])
            kinds = {"SoftwareApplication", "ComputationalWorkflow"}
            if not kinds & set(types(graph[instrument])) or not entity.get("result"):
                found.append(f"{address} has no instrument or result")
    named = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    found += [f"{name} is not described" for name in named - graph.keys()]
    (main,) = references(root["mainEntity"])
    wanted = {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    if not wanted <= set(types(graph[main])) or "programmingLanguage" not in graph[main]:
        found.append("no main workflow")
    runs = [e for e in graph.values() if references(e.get("instrument", [])) == [main]]
    if len(runs) != 1:
        found.append("the workflow has no run")
    conforming = {*references(root["conformsTo"])}
    found += [f"no {p}" for p in PROFILES if p not in conforming or "version" not in graph[p]]
    return found


def test_the_crate_has_all_that_the_standard_requires(place):
    assert faults(export(place)) == []


def test_the_walk_notices_what_is_broken(place):
    folder = export(place)
    (folder / "figures" / "fig.png").write_text("other")
    (folder / "stray.txt").write_text("x")
    metadata = folder / "ro-crate-metadata.json"
    metadata.write_text(metadata.read_text().replace('"#run"', '"#walk"', 1))
    told = " ".join(faults(folder))
    assert "figures/fig.png is not the file" in told
    assert "stray.txt is not described" in told
    assert "#run" in told or "#walk" in told


def test_the_library_reads_it_again(place):
    crate = ROCrate(export(place))
    assert crate.mainEntity.id == "workflow/Snakefile"
    assert crate.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    action = crate.get("#making/figures/fig")
    assert {entity.id for entity in action["object"]} == {
        "results/probe/curve.csv",
        "results/audit/a.json",
    }
    assert {entity.id for entity in action["result"]} == {"figures/fig.png", "figures/fig.csv"}
    assert action["instrument"]["name"] == "dynparam, plot_figure"
    seconds = [datetime.fromisoformat(action[key]) for key in ("startTime", "endTime")]
    assert (seconds[1] - seconds[0]).total_seconds() == 5
    assert {part.id for part in crate.root_dataset["mentions"]} == {
        "#run",
        *(f"#making/{sidecar.removesuffix('.json')}" for sidecar in STAGES),
    }


def test_no_image_is_in_the_crate(place):
    folder = export(place)
    assert not list(folder.rglob("*.npz"))
    assert all(SECRET not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    (made,) = ROCrate(folder).get("#making/data/processed/pair")["result"]
    assert made["sha256"] == hashlib.sha256(SECRET).hexdigest()
    assert made["isBasedOn"]["name"] == "CIFAR-10"


def test_one_run_gives_one_zip(place):
    first, second = export(place, "a.zip"), export(place, "b.zip")
    assert first.read_bytes() == second.read_bytes()
    folder = export(place)
    with zipfile.ZipFile(first) as archive:
        for name in archive.namelist():
            assert archive.read(name) == (folder / name).read_bytes()
    assert {path.name for path in place.parent.iterdir()} == {"repository", "a.zip", "b.zip", "crate"}


def test_a_directory_that_is_there_stays(place):
    folder = export(place)
    with pytest.raises(DataError, match="is there already"):
        export(place)
    assert faults(folder) == []


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda: Path("figures/fig.png").write_text("x"), "fig.png: not the file its sidecar describes"),
        (lambda: Path("results/probe/curve.csv").unlink(), "curve.csv: a sidecar lists it"),
        (lambda: shutil.rmtree("figures"), "there are no figures with sidecars"),
        (lambda: Path("CITATION.cff").unlink(), "CITATION.cff: a crate needs it"),
    ],
)
def test_a_broken_run_gives_no_crate(place, break_it, sentence):
    break_it()
    with pytest.raises(DataError, match=sentence):
        export(place)
    assert {path.name for path in place.parent.iterdir()} == {"repository"}


def test_times_are_those_of_the_records(place):
    """Each action begins as long before its end as its record says; the run ends with the last."""
    records = {}
    for number, name in enumerate(reversed(STAGES), start=1):
        path = place / name
        values = json.loads(path.read_text(encoding="utf-8"))
        values["created"] = f"2026-01-0{number}T12:00:00+00:00"
        values["wall_seconds"] = 90.4 * number
        path.write_text(json.dumps(values), encoding="utf-8")
        records[name] = values
    document = json.loads((export(place) / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    graph = {entity["@id"]: entity for entity in document["@graph"]}
    for name, values in records.items():
        action = graph[f"#making/{name.removesuffix('.json')}"]
        began, ended = (datetime.fromisoformat(action[key]) for key in ("startTime", "endTime"))
        assert ended == datetime.fromisoformat(values["created"])
        assert (ended - began).total_seconds() == round(values["wall_seconds"])
    assert graph["#run"]["endTime"] == graph["./"]["datePublished"] == "2026-01-05T12:00:00+00:00"


@pytest.mark.parametrize(
    ("path", "is_data"),
    [
        ("data/processed/bird-cat.json", True),
        ("data/raw/x", True),
        ("results/bird-cat.npz", True),
        ("results/bird-cat.csv", False),
        ("data.csv", False),
        ("results/data/x.csv", False),
    ],
)
def test_images_stay_out_wherever_they_lie(path, is_data):
    assert FinishedRun(Path("run"), {}, Path("data")).is_data(Path(path)) is is_data
