"""Where no Slurm can be started, the tests say why."""

import pytest

from tests.slurm import slurm


@pytest.fixture
def possible(monkeypatch, tmp_path):
    """A machine on which a Slurm could be started."""
    monkeypatch.setattr(slurm.os, "geteuid", lambda: 0)
    monkeypatch.setattr(slurm.shutil, "which", lambda name, path: f"/usr/sbin/{name}")
    monkeypatch.setattr(slurm, "CONFIGURATION", tmp_path)
    return tmp_path


def test_none_where_it_can_be_started(possible):
    assert slurm.obstacle() is None
    (possible / "slurm.conf").write_text(slurm.MARK + "left by a killed run")
    assert slurm.obstacle() is None


def test_another_user_than_root(possible, monkeypatch):
    monkeypatch.setattr(slurm.os, "geteuid", lambda: 1000)
    assert slurm.obstacle() == "starting Slurm's daemons needs root"


def test_missing_packages_are_named(possible, monkeypatch):
    monkeypatch.setattr(slurm.shutil, "which", lambda name, path: None if name == "slurmd" else name)
    assert slurm.obstacle().startswith("slurmd not installed (Debian: apt-get install slurmctld")


def test_a_node_of_a_real_cluster_is_left_alone(possible):
    (possible / "slurm.conf").write_text("ClusterName=ours")
    assert slurm.obstacle() == f"{possible / 'slurm.conf'} belongs to another Slurm"
