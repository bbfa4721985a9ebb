"""Which rule of the workflow needs which: asked of Snakemake itself, as a tidy table."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dynparam.configuration.config import Config
from dynparam.support.errors import DynparamError

COLUMNS = ("rule", "jobs", "needs")
"""The columns of ``results/report/rules.csv``: a row for each rule and each rule it needs."""


TIMEOUT_SECONDS = 300


def rule_table(settings: Config, target: str) -> pd.DataFrame:
    """The rules behind ``target`` under this configuration, how many jobs each has, what each needs.

    Snakemake only plans: it takes no lock, so that this can run inside one of its jobs. Raises
    ``DynparamError`` if it cannot plan.
    """
    with tempfile.TemporaryDirectory() as directory:
        overlay = Path(directory) / "config.json"
        overlay.write_text(settings.model_dump_json(), encoding="utf-8")
        # Without --forceall the graph would lack the links of what is made already.
        command = [sys.executable, "-m", "snakemake", target, "--d3dag", "--forceall"]
        command += ["--configfile", str(overlay)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS
            )
            return tabulate(json.loads(done.stdout))
        except subprocess.CalledProcessError as error:
            reason = error.stderr.strip().splitlines()[-1:] or ["no message"]
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            reason = [str(error)]
    raise DynparamError(
        f"snakemake --d3dag tells no graph of rules ({reason[0]}); run it in the repository's root"
    )


def tabulate(dag: Mapping[str, Any]) -> pd.DataFrame:
    """The table of ``COLUMNS`` of a graph of jobs, as ``snakemake --d3dag`` prints it.

    Its edges run from a job that is needed, ``u``, to one that needs it, ``v``. Raises ``KeyError`` for
    anything else.
    """
    rule_of = {node["id"]: node["value"]["rule"] for node in dag["nodes"]}
    jobs = Counter(rule_of.values())
    needs = {(rule_of[edge["v"]], rule_of[edge["u"]]) for edge in dag["edges"]}
    rows = [(rule, jobs[rule], needed) for rule, needed in sorted(needs) if rule != needed]
    rows += [(rule, jobs[rule], "") for rule in jobs if rule not in {row[0] for row in rows}]
    return pd.DataFrame(sorted(rows), columns=list(COLUMNS))
