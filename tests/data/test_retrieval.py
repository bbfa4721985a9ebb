"""CIFAR-10 from its sources to network inputs, on an invented archive and on the official one."""

import gzip
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynparam.data import download, images, official, pairs, retrieval, torchvision_reader
from dynparam.data.official import CIFAR10_CLASSES, FOLDER, MEMBERS
from dynparam.data.settings import Data, Source, ValidatedData
from dynparam.support.errors import ConfigError, DataError, DynparamError
from tests import cifar10_archive, http_server
from tests.http_server import Answer

OFFICIAL = Path(os.environ.get(retrieval.ARCHIVE_VARIABLE, "unset"))
INVENTED = official.HASHES_VARIABLE in os.environ
PER_BATCH = 40  # 20 images of a class in the training split, 4 in the test split


@pytest.fixture(autouse=True, scope="module")
def _environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(retrieval.ARCHIVE_VARIABLE, raising=False)
        patch.delenv(official.HASHES_VARIABLE, raising=False)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(download, "FIRST_PAUSE_SECONDS", 0.0)
        yield


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "cifar-10-python.tar.gz"
    cifar10_archive.write_archive(path, PER_BATCH)
    return path


@pytest.fixture(scope="module")
def hashes() -> dict[str, str]:
    contents = cifar10_archive.members(PER_BATCH)
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


@pytest.fixture(scope="module")
def raw(archive: Path, hashes: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds the verified members."""
    directory = tmp_path_factory.mktemp("raw")
    retrieval.retrieve(_source(archive), directory, hashes)
    return directory


@pytest.fixture
def server() -> Iterator[http_server.Server]:
    with http_server.running() as running:
        yield running


def _source(archive: Path | None = None, *mirrors: str) -> Source:
    return Source(archive=archive, mirrors=mirrors, timeout_seconds=5, attempts=2)


def _data(**changes: Any) -> Data:
    settings: dict[str, Any] = {
        "seed": 0,
        "pairs": {"airplane-automobile": ("airplane", "automobile"), "bird-cat": ("bird", "cat")},
        "train_images": 24,
        "test_images": 12,
        "train_split": "train",
        "test_split": "train",
        "stratified": True,
    }
    return Data.model_validate(settings | changes)


def _names(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


INSTALLED = {f"{FOLDER}/{name}" for name in MEMBERS}


# --- Retrieval ----------------------------------------------------------------------------------


def test_local_archive_gives_exactly_the_members(
    archive: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    record = retrieval.retrieve(_source(archive), tmp_path / "raw", hashes)
    assert _names(tmp_path / "raw") == INSTALLED
    assert record["origin"] == archive.name
    assert record["sha256"] == hashes
    contents = cifar10_archive.members(PER_BATCH)
    assert record["bytes"] == sum(map(len, contents.values()))
    for name, content in contents.items():
        assert (tmp_path / "raw" / FOLDER / name).read_bytes() == content


@pytest.mark.parametrize("named", ["..", "link", "~/link"])
def test_the_origin_is_called_by_its_own_name(
    raw: Path, hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """A link or ``..`` would not tell where the members came from."""
    (tmp_path / "link").symlink_to(raw)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(raw / FOLDER if named == ".." else tmp_path)
    record = retrieval.retrieve(_source(Path(named)), tmp_path / "new", hashes)
    assert record["origin"] == raw.name


@pytest.mark.parametrize("form", [".", FOLDER], ids=["parent", "folder"])
def test_extracted_directory_serves_as_source(
    raw: Path, hashes: dict[str, str], tmp_path: Path, form: str
) -> None:
    retrieval.retrieve(_source(raw / form), tmp_path, hashes)
    assert _names(tmp_path) == INSTALLED


WRAPPED = {
    "archive in a directory": lambda archive, box: shutil.copy(archive, box / archive.name),
    "unzipped archive in a directory": lambda archive, box: (box / "cifar-10-python.tar").write_bytes(
        gzip.decompress(archive.read_bytes())
    ),
    "folder in a folder": lambda archive, box: cifar10_archive.unpack(archive, box / "cifar-10-python"),
    "folder of another name": lambda archive, box: (
        cifar10_archive.unpack(archive, box),
        (box / "cifar-10-batches-py").rename(box / "downloaded"),
    ),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_right_data_in_another_place_are_taken(
    archive: Path, hashes: dict[str, str], tmp_path: Path, kind: str
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    WRAPPED[kind](archive, box)
    found = retrieval.retrieve(_source(box), tmp_path / "raw", hashes)
    assert found["sha256"] == hashes


def test_files_of_just_the_limit_are_copied(
    raw: Path, hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = max((raw / FOLDER / name).stat().st_size for name in hashes)
    monkeypatch.setattr(retrieval, "MEMBER_LIMIT", largest)
    retrieval.retrieve(_source(raw), tmp_path / "within", hashes)
    assert _names(tmp_path / "within") == INSTALLED
    monkeypatch.setattr(retrieval, "MEMBER_LIMIT", largest - 1)
    with pytest.raises(DataError, match=r"larger than any file of CIFAR-10"):
        retrieval.retrieve(_source(raw), tmp_path / "beyond", hashes)


def test_verified_members_are_left_alone(archive: Path, hashes: dict[str, str], tmp_path: Path) -> None:
    retrieval.retrieve(_source(archive), tmp_path, hashes)
    before = (tmp_path / FOLDER / "test_batch").stat()
    record = retrieval.retrieve(_source(), tmp_path, hashes)
    assert record["origin"] == "already present"
    assert (tmp_path / FOLDER / "test_batch").stat() == before


def test_damaged_members_are_replaced(archive: Path, hashes: dict[str, str], tmp_path: Path) -> None:
    retrieval.retrieve(_source(archive), tmp_path, hashes)
    (tmp_path / FOLDER / "test_batch").write_bytes(b"damaged")
    retrieval.retrieve(_source(archive), tmp_path, hashes)
    assert (
        hashlib.sha256((tmp_path / FOLDER / "test_batch").read_bytes()).hexdigest()
        == (hashes["test_batch"])
    )


def test_environment_wins_over_configuration(
    archive: Path, hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(retrieval.ARCHIVE_VARIABLE, str(archive))
    retrieval.retrieve(_source(tmp_path / "absent"), tmp_path, hashes)
    assert _names(tmp_path) == INSTALLED


@pytest.mark.parametrize("by_environment", [True, False])
def test_absent_local_source_is_named_with_its_setting(
    hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    if by_environment:
        monkeypatch.setenv(retrieval.ARCHIVE_VARIABLE, str(tmp_path / "absent"))
    setting = retrieval.ARCHIVE_VARIABLE if by_environment else r"source\.archive"
    source = _source(None if by_environment else tmp_path / "absent")
    with pytest.raises(DataError, match=rf"{setting} names .*absent, which cannot be read"):
        retrieval.retrieve(source, tmp_path, hashes)


@pytest.mark.parametrize("by_environment", [True, False])
def test_pipe_or_device_as_local_source_is_not_waited_for(
    hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero")):
        if by_environment:
            monkeypatch.setenv(retrieval.ARCHIVE_VARIABLE, str(place))
        source = _source(None if by_environment else place)
        with pytest.raises(DataError, match=f"names {place}, which is neither a file nor a directory"):
            retrieval.retrieve(source, tmp_path / "raw", hashes)
        assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("name", ["~nobody-of-this-name/a", "a" * 5000])
def test_local_source_of_an_impossible_name(
    hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(retrieval.ARCHIVE_VARIABLE, name)
    with pytest.raises(DataError, match="which cannot be read"):
        retrieval.retrieve(_source(), tmp_path, hashes)


def test_directory_with_pipes_or_huge_files_as_local_source(
    hashes: dict[str, str], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "batches.meta")
    with pytest.raises(DataError, match=r"batches\.meta is missing or unreadable"):
        retrieval.retrieve(_source(tmp_path), tmp_path / "raw", hashes)
    with (tmp_path / "test_batch").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DataError, match="test_batch: larger than any file of CIFAR-10"):
        retrieval.retrieve(_source(tmp_path), tmp_path / "raw", hashes)
    assert _names(tmp_path / "raw") == set()


def test_wrong_hash_installs_nothing(archive: Path, hashes: dict[str, str], tmp_path: Path) -> None:
    wrong = hashes | {"test_batch": "0" * 64}
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz: test_batch does not have"):
        retrieval.retrieve(_source(archive), tmp_path, wrong)
    assert list(tmp_path.iterdir()) == []


def test_missing_member_installs_nothing(hashes: dict[str, str], tmp_path: Path) -> None:
    contents = cifar10_archive.members(PER_BATCH)
    del contents["data_batch_3"]
    members = [cifar10_archive.file(f"{FOLDER}/{name}", data) for name, data in contents.items()]
    cifar10_archive.write_tar(tmp_path / "a.tar.gz", members)
    with pytest.raises(DataError, match="data_batch_3 is missing or unreadable"):
        retrieval.retrieve(_source(tmp_path / "a.tar.gz"), tmp_path / "raw", hashes)
    assert _names(tmp_path / "raw") == set()


def test_hostile_archive_installs_nothing(hashes: dict[str, str], tmp_path: Path) -> None:
    contents = cifar10_archive.members(PER_BATCH)
    members = [cifar10_archive.file(f"{FOLDER}/{name}", data) for name, data in contents.items()]
    cifar10_archive.write_tar(
        tmp_path / "a.tar.gz", [*members, cifar10_archive.file("../../evil", b"x")]
    )
    with pytest.raises(DataError, match=r"a\.tar\.gz: the member '\.\./\.\./evil' points outside"):
        retrieval.retrieve(_source(tmp_path / "a.tar.gz"), tmp_path / "x" / "raw", hashes)
    assert _names(tmp_path) == {"a.tar.gz"}


def test_unwritable_destination_is_named(archive: Path, hashes: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DynparamError, match="raw: cannot be written"):
        retrieval.retrieve(_source(archive), tmp_path / "file" / "raw", hashes)


class _Bomb:
    """A pickle that creates a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def test_unverified_pickle_is_never_opened(hashes: dict[str, str], tmp_path: Path) -> None:
    trace = tmp_path / "opened"
    bomb = pickle.dumps(_Bomb(trace))
    contents = cifar10_archive.members(PER_BATCH) | {"data_batch_1": bomb}
    (tmp_path / FOLDER).mkdir()
    for name, content in contents.items():
        (tmp_path / FOLDER / name).write_bytes(content)
    with pytest.raises(DataError, match="data_batch_1 does not have the expected SHA-256"):
        retrieval.retrieve(_source(tmp_path), tmp_path / "raw", hashes)
    with pytest.raises(DataError, match="data_batch_1 does not have the expected SHA-256"):
        pairs.load_split(tmp_path, "train", hashes)
    assert not trace.exists()
    pickle.loads(bomb)
    assert trace.exists(), "the bomb must work for this test to mean anything"


# --- Mirrors ------------------------------------------------------------------------------------


def test_second_mirror_helps_where_the_first_fails(
    server: http_server.Server, archive: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    content = archive.read_bytes()
    mirrors = [
        server.url("/gone", http_server.status(404)),
        server.url("/html", http_server.whole(b"<html>moved</html>" * 100)),
        server.url("/good", http_server.whole(content, sent=5000), http_server.ranged(content)),
    ]
    record = retrieval.retrieve(_source(None, *mirrors), tmp_path, hashes)
    assert record["origin"] == mirrors[2]
    assert _names(tmp_path) == INSTALLED, "no partial download stays"
    assert [path for path, _ in server.requested] == ["/gone", "/html", "/good", "/good"]


@pytest.mark.parametrize(
    "bad",
    [
        http_server.redirect(b"http://[::1"),
        http_server.redirect(b"file:///etc/passwd"),
        http_server.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort"),
        http_server.raw(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nshort"),
        http_server.raw(b"220 ready\r\n"),
        http_server.raw(b"HTTP/1.1 200 OK\r\n\r\n", gzip.compress(b"a tar archive") * 2),
    ],
    ids=["malformed redirect", "redirect to a file", "two lengths", "length", "no HTTP", "no archive"],
)
def test_after_any_failure_the_next_mirror_is_tried(
    server: http_server.Server, archive: Path, hashes: dict[str, str], tmp_path: Path, bad: Answer
) -> None:
    mirrors = [server.url("/bad", bad), server.url("/good", http_server.whole(archive.read_bytes()))]
    record = retrieval.retrieve(_source(None, *mirrors), tmp_path, hashes)
    assert record["origin"] == mirrors[1]
    assert _names(tmp_path) == INSTALLED


def test_bytes_of_different_mirrors_are_never_joined(
    server: http_server.Server, archive: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    """The first breaks off half-way; the second has another archive, and nothing to tell it by."""
    content = archive.read_bytes()
    cut, gone = http_server.whole(b"x" * len(content), sent=100_000), http_server.status(404)
    mirrors = [
        server.url("/broken", cut, gone),
        server.url("/good", http_server.ranged(content, etag="")),
    ]
    record = retrieval.retrieve(_source(None, *mirrors), tmp_path, hashes)
    assert record["origin"] == mirrors[1]
    assert [wanted for path, wanted in server.requested if path == "/good"] == [None]
    assert _names(tmp_path) > INSTALLED, "what the first mirror gave waits for its next run"


def test_interrupted_download_resumes_in_the_next_run(
    server: http_server.Server, archive: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    content = archive.read_bytes()
    cut = http_server.whole(content, sent=100_000)
    url = server.url("/file", cut, http_server.status(404), http_server.ranged(content))
    with pytest.raises(DataError):
        retrieval.retrieve(_source(None, url), tmp_path, hashes)
    retrieval.retrieve(_source(None, url), tmp_path, hashes)
    assert server.ranges()[0] is None
    assert server.ranges()[2] == server.ranges()[1] is not None
    assert _names(tmp_path) == INSTALLED


def test_no_source_at_all_says_how_to_name_one(
    server: http_server.Server, hashes: dict[str, str], tmp_path: Path
) -> None:
    url = server.url("/file", http_server.status(404))
    with pytest.raises(DataError) as error:
        retrieval.retrieve(_source(None, url), tmp_path, hashes)
    for part in (retrieval.ARCHIVE_VARIABLE, "source.archive", url, "404"):
        assert part in str(error.value)
    with pytest.raises(DataError, match=r"source\.mirrors is empty"):
        retrieval.retrieve(_source(), tmp_path, hashes)


# --- Expected hashes ----------------------------------------------------------------------------


def test_expected_hashes_are_official_unless_told_otherwise(
    hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert official.expected_hashes() == MEMBERS
    (tmp_path / "hashes.json").write_text(json.dumps(hashes))
    monkeypatch.setenv(official.HASHES_VARIABLE, str(tmp_path / "hashes.json"))
    assert official.expected_hashes() == hashes


@pytest.mark.parametrize(
    "text",
    [
        *(
            None,
            "",
            "{",
            "[]",
            "null",
            '{"test_batch": "0"}',
            "[" * 10_000,
            "\0",
            "\ufeff{}",
            " " * 2**17,
        ),
        json.dumps(dict.fromkeys(MEMBERS, 5)),
        json.dumps(dict.fromkeys(MEMBERS)),
        json.dumps(dict.fromkeys(MEMBERS, "0" * 63)),
        json.dumps(dict.fromkeys(MEMBERS, "\ud800" * 64)),
        json.dumps({member: ["0" * 64] for member in MEMBERS}),
    ],
)
def test_unusable_hash_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "hashes.json").write_text(text)
    monkeypatch.setenv(official.HASHES_VARIABLE, str(tmp_path / "hashes.json"))
    with pytest.raises(DataError, match=r"DYNPARAM_CIFAR10_HASHES names .*hashes\.json"):
        official.expected_hashes()


def test_hashes_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path / "fifo", Path("/dev/zero"), tmp_path):
        monkeypatch.setenv(official.HASHES_VARIABLE, str(place))
        with pytest.raises(DataError, match=rf"DYNPARAM_CIFAR10_HASHES names {place}, which"):
            official.expected_hashes()


# --- Reading ------------------------------------------------------------------------------------


def test_split_has_the_images_and_labels_of_its_batches(raw: Path, hashes: dict[str, str]) -> None:
    contents = cifar10_archive.members(PER_BATCH)
    for split, names in (
        ("train", [f"data_batch_{i}" for i in range(1, 6)]),
        ("test", ["test_batch"]),
    ):
        batches = [pickle.loads(contents[name], encoding="bytes") for name in names]
        images, labels = pairs.load_split(raw, split, hashes)  # type: ignore[arg-type]
        assert images.dtype == np.uint8
        assert labels.dtype == np.int64
        rows = np.concatenate([batch[b"data"] for batch in batches])
        np.testing.assert_array_equal(images.reshape(-1, 3072), rows)
        np.testing.assert_array_equal(labels, np.concatenate([batch[b"labels"] for batch in batches]))


def test_import_needs_neither_torch_nor_torchvision() -> None:
    heavy = "{'torch', 'torchvision', 'requests'}"
    code = f"import sys, dynparam.data.retrieval; print(len({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout.strip() == b"0"


# --- Pairs --------------------------------------------------------------------------------------


def _extract(
    raw: Path, hashes: dict[str, str], output: Path, name: str = "bird-cat", **changes: Any
) -> tuple[images.Pair, dict[str, Any]]:
    manifest = pairs.extract_pair(raw, name, _data(**changes), output, hashes)
    return images.load_pair(output), json.loads(json.dumps(manifest))


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize(("test_split", "test_images"), [("train", 12), ("test", 6)])
def test_pair_holds_the_images_its_manifest_lists(
    raw: Path,
    hashes: dict[str, str],
    tmp_path: Path,
    stratified: bool,
    test_split: str,
    test_images: int,
) -> None:
    changes: dict[str, Any] = {
        "stratified": stratified,
        "test_split": test_split,
        "test_images": test_images,
    }
    pair, manifest = _extract(raw, hashes, tmp_path / "pair.npz", **changes)
    _assert_matches_splits(pair, manifest, raw, hashes)
    assert [len(pair.train_labels), len(pair.test_labels)] == [24, test_images]
    train, test = (manifest["subsets"][key] for key in ("train", "test"))
    assert [train["split"], test["split"]] == ["train", test_split]
    if test_split == "train":
        assert not set(train["indices"]) & set(test["indices"])
    if stratified:
        assert pair.train_labels.sum() == 12
        assert pair.test_labels.sum() == test_images // 2
    assert np.count_nonzero(np.diff(pair.train_labels.astype(int))) > 0, "classes are mixed"


def _assert_matches_splits(
    pair: images.Pair, manifest: dict[str, Any], raw: Path, hashes: dict[str, str]
) -> None:
    second = CIFAR10_CLASSES.index(manifest["classes"][1])
    for key, pictures, labels in (
        ("train", pair.train_images, pair.train_labels),
        ("test", pair.test_images, pair.test_labels),
    ):
        subset = manifest["subsets"][key]
        all_images, all_labels = pairs.load_split(raw, subset["split"], hashes)
        np.testing.assert_array_equal(pictures, all_images[subset["indices"]])
        official = all_labels[subset["indices"]]
        assert {CIFAR10_CLASSES[label] for label in official} <= set(manifest["classes"])
        np.testing.assert_array_equal(labels, official == second)


def test_labels_follow_the_order_of_the_pair_and_not_that_of_the_classes(
    raw: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    """The first class has the greater official label; it is 0 all the same."""
    settings = _data(pairs={"cat-bird": ("cat", "bird")})
    manifest = pairs.extract_pair(raw, "cat-bird", settings, tmp_path / "pair.npz", hashes)
    pair = images.load_pair(tmp_path / "pair.npz")
    assert CIFAR10_CLASSES.index("cat") > CIFAR10_CLASSES.index("bird")
    assert list(manifest["classes"]) == ["cat", "bird"]
    _assert_matches_splits(pair, manifest, raw, hashes)
    assert set(pair.train_labels.tolist()) == {0, 1}


def test_equal_settings_give_equal_bytes(raw: Path, hashes: dict[str, str], tmp_path: Path) -> None:
    (_, first), (_, second) = (_extract(raw, hashes, tmp_path / name / "pair.npz") for name in "ab")
    assert first == second
    contents = [(tmp_path / name / "pair.npz").read_bytes() for name in "ab"]
    assert contents[0] == contents[1]


def test_no_sidecar_is_left_beside_other_images(
    raw: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    old = tmp_path / "pair.json"
    old.write_text("{}")
    _extract(raw, hashes, tmp_path / "pair.npz")
    assert not old.exists()


def test_draw_depends_on_the_seed_but_not_on_other_settings(
    raw: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    def indices(**changes: Any) -> list[int]:
        _, manifest = _extract(raw, hashes, tmp_path / "pair.npz", **changes)
        chosen: list[int] = manifest["subsets"]["train"]["indices"]
        return chosen

    usual = indices()
    assert indices(seed=1) != usual
    assert indices(test_images=2) == usual
    assert indices(pairs={"bird-cat": ("bird", "cat")}) == usual


@pytest.mark.parametrize("stratified", [True, False])
def test_training_and_test_images_have_random_streams_of_their_own(
    raw: Path,
    hashes: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stratified: bool,
) -> None:
    """Two splits with the same images, for the test's sake: the same places would be drawn from both.

    Of 40 images 12 are drawn twice; all of them alike by chance once in 10^9 or less.
    """
    original = pairs.load_split
    monkeypatch.setattr(pairs, "load_split", lambda place, split, known: original(place, "train", known))
    counts = {"train_images": 12, "test_images": 12, "stratified": stratified}
    _, manifest = _extract(raw, hashes, tmp_path / "pair.npz", test_split="test", **counts)
    train, test = (manifest["subsets"][key]["indices"] for key in ("train", "test"))
    assert set(train) != set(test)
    assert set(train) & set(test), "drawn without regard to each other"


def test_pairs_have_random_streams_of_their_own(
    raw: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    """The same two classes under another name are the same draw; in the other order they are not."""
    named = {"bird-cat": ("bird", "cat"), "fowl-pet": ("bird", "cat"), "cat-bird": ("cat", "bird")}

    def drawn(name: str) -> list[list[int]]:
        changes = {"pairs": named, "stratified": False}
        _, manifest = _extract(raw, hashes, tmp_path / "pair.npz", name, **changes)
        return [manifest["subsets"][key]["indices"] for key in ("train", "test")]

    assert drawn("fowl-pet") == drawn("bird-cat")
    for one, other in zip(drawn("cat-bird"), drawn("bird-cat"), strict=True):
        assert set(one) != set(other)


@pytest.mark.parametrize(("train_split", "test_split"), [("train", "test"), ("test", "train")])
def test_images_come_from_the_split_that_was_asked_for(
    raw: Path, hashes: dict[str, str], tmp_path: Path, train_split: str, test_split: str
) -> None:
    """A pair's images, and a pool's, which are those for training: 20 of a class, or 4."""
    splits = {"train_split": train_split, "test_split": test_split}
    pair, manifest = _extract(
        raw, hashes, tmp_path / "pair.npz", train_images=6, test_images=4, **splits
    )
    _assert_matches_splits(pair, manifest, raw, hashes)
    assert [manifest["subsets"][key]["split"] for key in ("train", "test")] == [train_split, test_split]
    manifest = pairs.extract_pool(raw, "bird-cat", _data(**splits), tmp_path / "pool.npz", hashes)
    pool = images.load_pair(tmp_path / "pool.npz")
    _assert_matches_splits(pool, manifest, raw, hashes)
    assert manifest["subsets"]["train"]["split"] == train_split
    assert np.bincount(pool.train_labels).tolist() == [20 if train_split == "train" else 4] * 2


def test_manifest_hashes_are_those_of_the_file(
    raw: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    pair, manifest = _extract(raw, hashes, tmp_path / "pair.npz")
    sums = manifest["sha256"]
    content = (tmp_path / "pair.npz").read_bytes()
    assert sums["npz"] == hashlib.sha256(content).hexdigest()
    assert sums["source"] == hashes
    assert sums["arrays"] == {
        key: hashlib.sha256(array.tobytes()).hexdigest()
        for key, array in vars(pair).items()
        if not key.startswith("validation")
    }
    assert manifest["settings"]["seed"] == 0
    assert manifest["settings"]["train_images"] == 24


def test_pool_is_every_image_of_both_classes(raw: Path, hashes: dict[str, str], tmp_path: Path) -> None:
    manifest = pairs.extract_pool(raw, "bird-cat", _data(), tmp_path / "pool.npz", hashes)
    pool = images.load_pair(tmp_path / "pool.npz")
    _assert_matches_splits(pool, manifest, raw, hashes)
    assert np.bincount(pool.train_labels).tolist() == [20, 20]
    assert len(pool.test_images) == len(pool.test_labels) == 0


@pytest.mark.parametrize(
    ("changes", "kind", "complaint"),
    [
        ({"train_images": 23}, ConfigError, r"data\.train_images for bird-cat: 23 images cannot"),
        ({"train_images": 42}, DataError, r"data\.train_images .* 20 are available; .* most 40"),
        ({"test_images": 18}, DataError, r"data\.test_images .* 8 are available; .* most 16"),
        ({"pairs": {}}, ConfigError, r"'bird-cat' is not in data\.pairs"),
    ],
)
def test_impossible_settings_are_named(
    raw: Path,
    hashes: dict[str, str],
    tmp_path: Path,
    changes: dict[str, Any],
    kind: type[DynparamError],
    complaint: str,
) -> None:
    with pytest.raises(kind, match=complaint):
        _extract(raw, hashes, tmp_path / "pair.npz", **changes)
    assert list(tmp_path.iterdir()) == []


def test_unknown_and_absent_classes(hashes: dict[str, str], raw: Path, tmp_path: Path) -> None:
    unknown = _data().model_copy(update={"pairs": {"bird-unicorn": ("bird", "unicorn")}})
    with pytest.raises(DataError, match="CIFAR-10 has no class 'unicorn'"):
        pairs.extract_pair(raw, "bird-unicorn", unknown, tmp_path / "pair.npz", hashes)
    few = cifar10_archive.write_archive(tmp_path / "few.tar.gz", images_per_batch=3)
    retrieval.retrieve(_source(tmp_path / "few.tar.gz"), tmp_path, few)
    with pytest.raises(DataError, match="no image of the class 'cat' in the train split"):
        pairs.extract_pair(tmp_path, "bird-cat", _data(), tmp_path / "pair.npz", few)


def test_unreadable_pairs_are_named(raw: Path, hashes: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "pair.npz"
    _extract(raw, hashes, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged: dict[str, bytes] = {
        "flipped": bytes(content),
        "truncated": bytes(content[:-500]),
        "text": b"not an npz",
        "empty": b"",
    }
    for name, data in damaged.items():
        (tmp_path / name).write_bytes(data)
    np.savez(tmp_path / "keys.npz", train_images=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(
        tmp_path / "shapes.npz",
        train_images=np.zeros((2, 3, 32, 32)),
        train_labels=np.zeros(3),
        test_images=np.zeros((0, 3, 32, 32)),
        test_labels=np.zeros(0),
    )
    for name in (*damaged, "keys.npz", "array.npy", "shapes.npz", "absent"):
        with pytest.raises(DataError, match=rf"{name}: .*; extract it again"):
            images.load_pair(tmp_path / name)


# --- The official data --------------------------------------------------------------------------


@pytest.mark.real_data
@pytest.mark.skipif(
    INVENTED or not OFFICIAL.exists(),
    reason=f"{retrieval.ARCHIVE_VARIABLE} does not name the official archive",
)
def test_official_data(tmp_path: Path) -> None:
    record = retrieval.retrieve(_source(OFFICIAL), tmp_path, MEMBERS)
    assert record["bytes"] == 186_214_026
    for split, count in (("train", 5000), ("test", 1000)):
        _, labels = pairs.load_split(tmp_path, split, MEMBERS)  # type: ignore[arg-type]
        assert np.bincount(labels).tolist() == [count] * 10
    output = tmp_path / "pair.npz"
    thesis = _data(train_images=2000, test_images=2000)
    manifest = pairs.extract_pair(tmp_path, "airplane-automobile", thesis, output, MEMBERS)
    pair = images.load_pair(output)
    reference = torchvision_reader.import_datasets().CIFAR10(tmp_path, train=True)
    assert tuple(reference.classes) == CIFAR10_CLASSES
    for key, found in (("train", pair.train_labels), ("test", pair.test_labels)):
        chosen = [reference.targets[index] for index in manifest["subsets"][key]["indices"]]
        assert found.tolist() == chosen
        assert sum(chosen) == 1000


@pytest.mark.parametrize("test_split", ["train", "test"])
def test_a_third_set_moves_no_other(
    raw: Path, hashes: dict[str, str], tmp_path: Path, test_split: str
) -> None:
    """Training and test images stay; the validation images are others, equally many of both classes."""
    counts = {"train_images": 16, "test_images": 6, "test_split": test_split}
    two, _ = _extract(raw, hashes, tmp_path / "two.npz", **counts)
    data = ValidatedData.of(_data(**counts), 8)
    manifest = pairs.extract_pair(raw, "bird-cat", data, tmp_path / "three.npz", hashes)
    three = images.load_pair(tmp_path / "three.npz")
    for name in images.IMAGE_SHAPES:
        assert np.array_equal(getattr(two, name), getattr(three, name))
    assert three.counts == (16, 6, 8)
    assert np.bincount(three.validation_labels).tolist() == [4, 4]
    drawn = manifest["subsets"]
    assert drawn["validation"]["split"] == "train"
    places = [(drawn[key]["split"], index) for key in drawn for index in drawn[key]["indices"]]
    assert len(places) == len(set(places)) == 30


def test_a_third_set_that_is_too_large_is_named(
    raw: Path, hashes: dict[str, str], tmp_path: Path
) -> None:
    data = ValidatedData.of(_data(), 8)
    with pytest.raises(DataError, match=r"data\.validation_images for bird-cat: 4 images per class"):
        pairs.extract_pair(raw, "bird-cat", data, tmp_path / "pair.npz", hashes)
    assert _names(tmp_path) == set()
