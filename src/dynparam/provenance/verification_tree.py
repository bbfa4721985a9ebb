"""What a verification found, as a tree to read, a sentence, an exit code, and JSON."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from dynparam.provenance.verification import Checked, Finding
from dynparam.support.terminal import shown

AGREES, DIFFERS, MISSING = 0, 1, 3
"""Exit codes: all that is recorded agrees; something differs; something is not here."""

LONGEST = 1000
"""Most letters of a recorded text that are shown."""

STYLES = {
    "agrees": "green",
    "differs": "bold red",
    "missing": "yellow",
    "older": "cyan",
    "not recorded": "dim",
    "not compared": "dim",
}


def exit_code(checked: Sequence[Checked]) -> int:
    """``DIFFERS`` before ``MISSING`` before ``AGREES``; what is older or not recorded is no fault."""
    states = {finding.state for node in checked for finding in node.all_findings()}
    if "differs" in states:
        return DIFFERS
    return MISSING if "missing" in states else AGREES


def summary(node: Checked) -> str:
    """One line on a file: whether it agrees, what does not, and what to run."""
    return shown(_summary(node))


def _summary(node: Checked) -> str:
    findings = list(node.all_findings())
    differs = [one for one in findings if one.state == "differs"]
    missing = [one for one in findings if one.state == "missing"]
    if differs:
        more = f" and {len(differs) - 1} more" if len(differs) > 1 else ""
        return f"{node.name}: {differs[0].kind} {_short(differs[0].subject)} differs{more}."
    if missing:
        return _of_missing(node, missing)
    return f"{node.name}: agrees with {_behind(node)}{_remarks(findings)}."


def tree(node: Checked, *, every: bool) -> RenderableType:
    """The chain behind a file, with a line for each thing that does not agree, or for ``every`` one."""
    top = Tree(Text(shown(node.name), style="bold"), guide_style="dim")
    _add(top, node, every=every)
    return Group(top, Text(summary(node)))


def as_json(checked: Sequence[Checked]) -> str:
    """All findings, with the summaries and the exit code."""
    files = [{"summary": summary(node), **_values(node)} for node in checked]
    return json.dumps({"exit_code": exit_code(checked), "files": files}, indent=2) + "\n"


def _short(text: str) -> str:
    """Recorded text of any length, cut."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _of_missing(node: Checked, missing: Sequence[Finding]) -> str:
    outputs = [one for one in node.findings if one.kind == "output"]
    fine = bool(outputs) and all(one.state == "agrees" for one in outputs)
    files = "1 file" if len(outputs) == 1 else f"{len(outputs)} files"
    own = f"{node.name}: {files} and sidecar agree" if fine else node.name
    if any(one.kind != "input" for one in missing):
        first = next(one for one in missing if one.kind != "input")
        return f"{own}; {first.kind} {first.subject} is not here."
    known = node.record is not None and node.record.place is not None
    own_inputs = [one.subject for one in node.findings if one in missing]
    remedy = (
        f"snakemake --cores all {shlex.join(own_inputs)}" if known and own_inputs else "make reproduce"
    )
    number = "1 file is" if len(missing) == 1 else f"{len(missing)} files are"
    return f"{own}; of what is behind them {number} not here, run: {remedy}"


def _behind(node: Checked) -> str:
    count = sum(1 for _ in _nodes(node)) - 1
    if count:
        return f"the {count} {'record' if count == 1 else 'records'} it rests on"
    return "its sidecar"


def _remarks(findings: Sequence[Finding]) -> str:
    counts = Counter((one.state, one.kind) for one in findings)
    parts = []
    if older := sum(n for (state, kind), n in counts.items() if state == "older" and kind == "code"):
        parts.append(f"{older} made by other code than the present")
    if other := counts["older", "configuration"]:
        parts.append(f"{other} under another configuration")
    if unknown := sum(n for (state, _), n in counts.items() if state == "not recorded"):
        parts.append(f"{unknown} not recorded")
    if skipped := sum(n for (state, _), n in counts.items() if state == "not compared"):
        parts.append(f"{skipped} not made again")
    return f" ({'; '.join(parts)})" if parts else ""


def _add(branch: Tree, node: Checked, *, every: bool) -> None:
    agreeing = Counter(one.kind for one in node.findings if one.state == "agrees")
    if agreeing and not every:
        counted = ", ".join(f"{count} {kind}" for kind, count in agreeing.items())
        branch.add(Text.assemble(("agrees ", STYLES["agrees"]), counted))
    for one in node.findings:
        if every or one.state != "agrees":
            note = f" ({shown(_short(one.note))})" if one.note else ""
            line = (f"{one.state} ", STYLES[one.state])
            branch.add(Text.assemble(line, f"{one.kind} {shown(_short(one.subject))}", (note, "dim")))
    for child in node.rests_on:
        _add(branch.add(Text(shown(child.name), style="bold")), child, every=every)


def _nodes(node: Checked) -> Iterator[Checked]:
    yield node
    for child in node.rests_on:
        yield from _nodes(child)


def _values(node: Checked) -> dict[str, Any]:
    return {
        "name": shown(node.name),
        "findings": [
            {key: shown(_short(str(value))) for key, value in asdict(one).items()}
            for one in node.findings
        ],
        "rests_on": [_values(child) for child in node.rests_on],
    }
