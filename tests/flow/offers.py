"""What Bloblang offers, from Bento itself, and calls of each of it that would reach out if it could."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scheduler import command
from scheduler.devcluster import go, toolchain
from scheduler.devcluster.home import Home
from scheduler.golang import compiler as golang

MODULE: Final = "github.com/warpstreamlabs/bento"
_REGISTERED: Final = re.compile(
    r"(?:Register(?:Advanced)?(?P<a>Function|Method)(?:V2)?\(\s*"
    r"|New(?:Hidden|Deprecated)?(?P<b>Function|Method)Spec\(\s*(?:[\w.]+,\s*)?)"
    r'"(?P<name>[a-z0-9_]+)"'
)
TARGETS: Final = ("this.name", "this", "[this.name, 1]", "5", "now()")
"""What a method is called on; `this.name` is the text that may lead somewhere."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    name: str
    kind: str
    """function | method"""
    arguments: tuple[Mapping[str, Any], ...] = ()
    """{name, type, is_optional}"""
    is_variadic: bool = False


@dataclass(frozen=True, kw_only=True)
class Catalog:
    linked: frozenset[tuple[str, str]]
    """(kind, name) of what is in the engine's program, whoever may call it."""
    left: tuple[Offer, ...]
    """What a flow's text may name."""


def catalog(program: str) -> Catalog:
    """As a build with faults/catalog.go lists it."""
    listed = json.loads(subprocess.run([program, "catalog"], capture_output=True, check=True, timeout=60).stdout)
    kinds = (("function", "Functions"), ("method", "Methods"))
    return Catalog(
        linked=frozenset((kind, name) for kind, key in kinds for name in listed[f"linked{key}"]),
        left=tuple(_offer(kind, spec) for kind, key in kinds for spec in listed[f"left{key}"].values()),
    )


def named_in_source() -> frozenset[tuple[str, str]]:
    """(kind, name) of everything that the source of this very version of Bento registers, linked or not."""
    compiler = go.find(Home.from_environ(os.environ), print)
    words: list[str | Path] = [compiler, "list", "-m", "-f", "{{.Dir}}", MODULE]
    folder = command.run(words, limit_seconds=300, environ=golang.ENVIRON, folder=toolchain.BENTO.folder).strip()
    assert folder, f"the source of {MODULE} is not here"
    return frozenset(
        ((found["a"] or found["b"]).lower(), found["name"])
        for file in sorted(Path(folder).rglob("*.go"))
        if not file.name.endswith("_test.go") and "template" not in file.parts
        for found in _REGISTERED.finditer(file.read_text())
    )


def calls(offer: Offer, lead: str, *, targets: Sequence[str] = TARGETS[:1]) -> Iterator[str]:
    """Calls with a text wherever one can stand, for a record whose name is `lead`; a call need not make sense."""
    for target in [""] if offer.kind == "function" else targets:
        for given in dict.fromkeys(_arguments(offer, json.dumps(lead))):
            yield f"{offer.name}({given})" if offer.kind == "function" else f"{target}.{offer.name}({given})"


def _arguments(offer: Offer, literal: str) -> Iterator[str]:
    """The required ones, and all; as the record has them, because what is written out is looked at while it is read."""
    required = [one for one in offer.arguments if not one.get("is_optional") and "default" not in one]
    yield _given(required, literal, "this.name")
    yield _given(offer.arguments, literal, "this.name")
    if offer.is_variadic:
        yield "this.name"
        yield "this.x"
    else:
        yield _given(required, literal, literal)


def _given(arguments: Sequence[Mapping[str, Any]], literal: str, text: str) -> str:
    return ", ".join(
        f"{one['name']}: {_value(one, literal if one['no_dynamic'] else text, place)}"
        for place, one in enumerate(arguments, start=1)
    )


def _value(argument: Mapping[str, Any], text: str, place: int) -> str:
    by_type = {
        "integer": str(place),  # a range has to begin before it ends
        "float": "1.0",
        "bool": "true",
        "timestamp": "now()",
        "array": f"[[{text}, {text}]]",
    }
    return by_type.get(str(argument["type"]), text)


def _offer(kind: str, spec: Mapping[str, Any]) -> Offer:
    parameters = spec.get("params") or {}
    return Offer(
        name=spec["name"],
        kind=kind,
        arguments=tuple(parameters.get("named") or ()),
        is_variadic=bool(parameters.get("variadic")),
    )
