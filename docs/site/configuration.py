"""The page of every key of the configuration, from its JSON Schema and the values in thesis.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGE = "config/keys.md"
HEAD = """\
# Every key of the configuration

From the schema that the workflow checks every configuration against. The last column has the value in
`config/thesis.yaml`; [configuration](README.md) says how to change one. `*` stands for a name
of your own.
"""
TABLE = "| key | type | meaning | thesis |\n|---|---|---|---|\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    schema = json.loads((ROOT / "workflow/schemas/config.schema.json").read_text(encoding="utf-8"))
    thesis = yaml.safe_load((ROOT / "config/thesis.yaml").read_text(encoding="utf-8"))
    files.append(File.generated(config, PAGE, content=_page(schema, thesis)))
    return files


def _page(schema: dict[str, Any], thesis: dict[str, Any]) -> str:
    """A section per block, a row per key."""
    definitions = schema["$defs"]
    sections = [HEAD]
    for name in thesis:
        block = _resolved(schema["properties"][name], definitions)
        rows = "".join(_rows(block, thesis[name], "", definitions))
        sections.append(f"## `{name}`\n\n{block.get('description', '')}\n\n{TABLE}{rows}")
    return "\n".join(sections)


def _rows(block: dict[str, Any], values: Any, prefix: str, definitions: dict[str, Any]) -> list[str]:
    """A row per key of a block, those of the blocks within it after their own names."""
    rows = []
    for key, entry in block.get("properties", {}).items():
        inner, value = _resolved(entry, definitions), (values or {}).get(key)
        named = _named(inner, definitions)
        if "properties" in inner:
            rows += _rows(inner, value, f"{prefix}{key}.", definitions)
        elif "properties" in named:
            rows += _rows(named, None, f"{prefix}{key}.*.", definitions)
        else:
            cells = (
                f"`{prefix}{key}`",
                _type(inner, definitions),
                _meaning(entry, inner),
                _value(value),
            )
            rows.append("| " + " | ".join(cells) + " |\n")
    return rows


def _named(entry: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """What a mapping from names of one's own holds; nothing for any other entry."""
    below = [*entry.get("patternProperties", {}).values(), entry.get("additionalProperties")]
    return next((_resolved(one, definitions) for one in below if isinstance(one, dict)), {})


def _resolved(entry: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """An entry of the schema, its reference followed."""
    reference = entry.get("$ref")
    return definitions[reference.rpartition("/")[2]] if reference else entry


def _type(entry: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What values an entry takes, in few words."""
    if "enum" in entry:
        return ", ".join(f"`{value}`" for value in entry["enum"])
    if "const" in entry:
        return f"`{entry['const']}`"
    if "anyOf" in entry:
        return " or ".join(_type(_resolved(one, definitions), definitions) for one in entry["anyOf"])
    kind = entry.get("type", "any")
    names = kind if isinstance(kind, list) else [kind]
    plain = {"array": "list", "object": "mapping", "string": "text"}
    return " or ".join(plain.get(name, name) for name in names)


def _meaning(entry: dict[str, Any], inner: dict[str, Any]) -> str:
    """The description of a key, or of the block it holds."""
    return str(entry.get("description") or inner.get("description") or "")


def _value(value: Any) -> str:
    """A value as it is written in YAML, on one line; nothing for a key below a name."""
    if value is None or isinstance(value, dict):
        return ""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()
    return f"`{text}`" if len(text) <= 60 else ""
