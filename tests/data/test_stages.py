"""The stages of the data: every job of a configuration is among theirs."""

import itertools

from dynparam.data.settings import for_pair, images_name
from dynparam.data.stages import EXTRACT
from dynparam.training.settings import all_runs
from tests.findings_run import CONFIG, configured


def test_the_first_draw_has_the_name_of_the_pair():
    """Each other one a name of its own, under which no earlier file lies."""
    assert [images_name("bird-cat", draw) for draw in range(3)] == [
        "bird-cat",
        "bird-cat.draw-1",
        "bird-cat.draw-2",
    ]


def test_images_of_every_run_are_of_a_job():
    """Of each draw of the images, however many the networks have; the sidecars of all are looked up."""
    networks = [{"n": 60, "n_min": 6, "seeds": 6, "draws": draws} for draws in (2, 3)]
    networks[1]["n"] = 70
    config = configured({"domain.networks": networks})
    jobs = list(EXTRACT.jobs(config))
    runs = all_runs(config).values()
    assert {run.draw for run in runs} == {0, 1, 2}
    assert all(for_pair(config, run.task, run.draw) in jobs for run in runs)
    assert all(one != two for one, two in itertools.combinations(jobs, 2))
    alone = configured({"domain.networks": []})
    assert list(EXTRACT.jobs(alone)) == [for_pair(CONFIG, pair) for pair in CONFIG.data.pairs]
