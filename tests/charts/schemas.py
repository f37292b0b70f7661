"""Values against the charts' schemas, with jsonschema alone: no helm, milliseconds."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import yaml

from scheduler import assets
from scheduler.model.types import Values

Node: TypeAlias = Mapping[str, Any]


@functools.cache
def of(chart: Path) -> Node:
    found: Node = json.loads((chart / "values.schema.json").read_text())
    return found


def defaults(chart: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((chart / "values.yaml").read_text())
    return found


def problems(chart: Path, values: Values) -> tuple[str, ...]:
    """What helm would refuse of these values: by its schema, and by those of its enabled sub-charts."""
    return tuple(sorted(_problems(chart, values)))


def _problems(chart: Path, values: Values) -> Iterator[str]:
    for error in jsonschema.Draft7Validator(of(chart)).iter_errors(values):
        yield f"{chart.name}{error.json_path.removeprefix('$')}: {error.message}"
    for name in _dependencies(chart):
        own = values.get(name, {})
        enabled = own.get("enabled", defaults(chart).get(name, {}).get("enabled"))
        if name != "common" and enabled:
            yield from _problems(assets.subchart(name), {**own, "global": values.get("global", {})})


def _dependencies(chart: Path) -> list[str]:
    return [item["name"] for item in yaml.safe_load((chart / "Chart.yaml").read_text()).get("dependencies", ())]


def nodes(schema: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every schema inside a schema, with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for keyword in ("patternProperties", "additionalProperties", "items"):
        found = schema.get(keyword)
        if keyword == "patternProperties":
            for pattern, child in (found or {}).items():
                yield from nodes(child, f"{path}.<{pattern}>")
        elif isinstance(found, Mapping):
            yield from nodes(found, f"{path}[]" if keyword == "items" else f"{path}.*")
