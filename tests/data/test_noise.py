"""Images of noise: laid out as extracted ones, the same at every call, with a record."""

import json

import numpy as np
from scipy.stats import chisquare

from dynparam.data.images import load_pair
from dynparam.data.noise import write_noise
from dynparam.data.settings import Noise
from dynparam.support.files import sha256


def test_images_are_read_as_an_extracted_pair(tmp_path):
    write_noise(tmp_path / "noise.npz", Noise(seed=3, images=10))
    pair = load_pair(tmp_path / "noise.npz")
    assert pair.counts == (10, 0, 0)
    assert pair.train_images.shape == (10, 3, 32, 32)
    assert np.bincount(pair.train_labels).tolist() == [5, 5]


def test_bytes_are_uniform(tmp_path):
    """By a chi-square test of level 10^-4; the seed is fixed, so that it never fails by chance."""
    write_noise(tmp_path / "noise.npz", Noise(seed=0, images=64))
    counts = np.bincount(load_pair(tmp_path / "noise.npz").train_images.ravel(), minlength=256)
    assert chisquare(counts).pvalue > 1e-4
    counts[:128] += 100
    assert chisquare(counts).pvalue < 1e-4, "others would be noticed"


def test_the_same_seed_gives_the_same_file_and_its_record_says_so(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_noise(tmp_path / name / "noise.npz", Noise(seed=seed, images=4))
    a, b, c = (sha256(tmp_path / name / "noise.npz") for name in "abc")
    assert a == b != c
    record = json.loads((tmp_path / "a" / "noise.json").read_text())
    assert record["outputs"] == {"noise.npz": a}
    assert record["config"] == {"seed": 0, "images": 4}
