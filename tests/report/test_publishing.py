"""`dynparam publish`: what it copies, and that it copies nothing of what no commit can make."""

import json

import pytest

from dynparam.provenance import record
from dynparam.provenance.verification import Verifier
from dynparam.report.published import publications
from dynparam.report.publishing import publish
from dynparam.support.errors import ConfigError, DataError, DynparamError
from tests.report import beside


@pytest.fixture
def config(tmp_path, monkeypatch):
    return beside.make(tmp_path, monkeypatch)


def one_of(config, name):
    (one,) = (one for one in publications(config) if one.name == name)
    return one


def published_files(config):
    folders = (config.published.figures, config.published.pages)
    return {
        path: path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_all_is_copied_byte_for_byte(config):
    for path in published_files(config):
        path.unlink()
    said = publish(config, (), beside.COMMITTED)
    made = {one.published(path): path for one in publications(config) for path in one.files}
    assert published_files(config) == {place: path.read_bytes() for place, path in made.items()}
    figures = sum(one.kind == "figure" for one in publications(config))
    places = config.published
    copied = f"Copied {figures} figures to {places.figures} and 13 pages to {places.pages}; "
    assert said.startswith(f"{copied}other than before: fig3_1, ")
    assert publish(config, (), beside.COMMITTED).endswith("what they hold is as before.")


def test_some_are_copied_by_name(config):
    for name in ("fig3_2", "fig3_3"):
        beside.write(one_of(config, name), config, "n\n1\n")
    before = published_files(config)
    said = publish(config, ("fig3_2", "companions", "companions/sharpness"), beside.COMMITTED)
    assert said.startswith(f"Copied 1 figure to {config.published.figures} and 2 pages to ")
    assert said.endswith("; other than before: fig3_2.")
    changed = {path.name for path, held in published_files(config).items() if held != before[path]}
    # The sidecar of a page tells when it was made; it was made once.
    assert changed == {"fig3_2.csv", "fig3_2.json"}


def test_what_is_published_still_agrees_with_its_sidecar(config):
    class NoSettings:
        def has(self, config_sha256):
            return True

        def differences(self, recorded):
            return []

        def code_digest(self, stage):
            return None

    publish(config, (), beside.COMMITTED)
    for name in ("fig3_2", "companions", "companions/sharpness"):
        one = one_of(config, name)
        node = Verifier(NoSettings()).check(one.published(one.compared))
        outputs = [finding for finding in node.findings if finding.kind == "output"]
        assert [finding.state for finding in outputs] == ["agrees"] * (len(one.files) - 1)


def refused(config, error, names=(), git=beside.COMMITTED):
    """What publishing says as it fails, and whether it left all that was there."""
    before = published_files(config)
    with pytest.raises(error) as caught:
        publish(config, names, git)
    return str(caught.value), published_files(config) == before


@pytest.mark.parametrize(
    ("git", "part"),
    [
        ({"commit": "0123", "dirty": True}, "commit the changes"),
        ({"commit": None, "dirty": None, "why": "git says: no"}, "git says: no"),
        (record.NO_COMMIT, "use git"),
    ],
)
def test_code_that_is_not_committed_publishes_nothing(config, git, part):
    said, kept = refused(config, DynparamError, git=git)
    assert part in said
    assert kept


def test_a_name_that_no_figure_has_is_told(config):
    said, kept = refused(config, ConfigError, names=("fig3_22",))
    assert "'fig3_22'" in said
    assert "did you mean 'fig3_2'?" in said
    assert kept


def test_a_missing_file_names_its_target(config):
    path = one_of(config, "r_sweep").compared.with_suffix(".pdf")
    path.unlink()
    said, kept = refused(config, DataError)
    assert str(path) in said
    assert "snakemake --cores all r_sweep" in said
    assert kept


def test_a_file_that_is_not_that_of_its_sidecar_is_refused(config):
    """The last of all files: none of those before it has been copied."""
    page = list(publications(config))[-1].compared
    page.write_text("edited by hand")
    said, kept = refused(config, DataError)
    assert said.startswith(f"{page}: is not the file that")
    assert kept


@pytest.mark.parametrize("dirty", [True, None])
def test_what_uncommitted_code_made_is_refused(config, dirty):
    """The figure itself, or a table that it rests on."""
    one = one_of(config, "fig3_2")
    sidecar = json.loads(one.sidecar.read_text())
    sidecar["git"]["dirty"] = dirty
    one.sidecar.write_text(json.dumps(sidecar))
    said, kept = refused(config, DataError)
    assert str(one.compared.with_suffix(".png")) in said
    assert "not committed" in said
    assert kept
    # Others can be published.
    assert publish(config, ("fig3_3",), beside.COMMITTED).startswith("Copied 1 figure")


@pytest.mark.parametrize("dirty", [False, True])
def test_a_table_of_uncommitted_code_behind_a_figure_is_refused(config, tmp_path, monkeypatch, dirty):
    table = tmp_path / "results/fits/a.csv"
    table.parent.mkdir(parents=True)
    table.write_text("n\n1\n")
    one = one_of(config, "fig3_2")
    outputs = [path for path in one.files if path != one.sidecar]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(record, "git_state", lambda: {**beside.COMMITTED, "dirty": dirty})
    record.write_sidecar(table.with_suffix(".json"), [table], config.probe, started=0.0)
    monkeypatch.setattr(record, "git_state", lambda: beside.COMMITTED)
    record.write_sidecar(one.sidecar, outputs, config.probe, inputs=[table], started=0.0)
    if not dirty:
        assert publish(config, (), beside.COMMITTED).startswith("Copied ")
        return
    said, kept = refused(config, DataError)
    assert str(table) in said
    assert "not committed" in said
    assert kept
