"""Who may do what in a platform as the charts render it: a text that is kept and read in review.

`python -m tests.charts.accounts` writes tests/charts/golden/rights.txt anew; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from scheduler import assets
from scheduler.model.types import Manifest
from tests.charts import render

FILE: Final = assets.root() / "tests" / "charts" / "golden" / "rights.txt"
CLUSTER: Final = "the whole cluster"
_HEADER: Final = """\
# Every account of the platform `modelops` in the namespace `modelops` with the environment `staging`, and what it may
# do: verbs on resources, and where. People are bound to roles in the environments and in the platform's namespace.
# Written by `python -m tests.charts.accounts`; read it in review.
"""


def text() -> str:
    objects = render.both(_values())
    return _HEADER + "".join(f"\n{line}\n" if not line.startswith(" ") else f"{line}\n" for line in _lines(objects))


def kept() -> Mapping[tuple[str, str], Mapping[str, set[str]]]:
    """What the file says: (account, namespace) -> where -> `verb resource.group`, whatever its objects' names."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    held: dict[str, set[str]] = {}
    for line in FILE.read_text().splitlines():
        if line.startswith("ServiceAccount "):
            _, name, _, namespace, *_ = line.split()
            held = found.setdefault((name, namespace), {})
        elif not line.startswith("  "):
            held = {}
        elif line.strip() != "nothing":
            where, kind, verbs = line.strip().split(": ")
            resource = kind.partition(" named ")[0]
            held.setdefault(where, set()).update(f"{verb} {resource}" for verb in verbs.split(", "))
    return found


def _values() -> dict[str, Any]:
    person = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io"}
    access = {f"{role}s": [{**person, "name": f"some {role}"}] for role in ("viewer", "operator", "admin")}
    return {**render.ci_values(render.PLATFORM, "minimal"), "access": access}


def _lines(objects: tuple[Manifest, ...]) -> Iterator[str]:
    for kind, name, namespace, token in sorted(_subjects(objects)):
        yield f"{kind} {name}{f' in {namespace}' if namespace else ''}{token}"
        given = sorted({line for where, rule in rules(objects, (name, namespace)) for line in _rule(where, rule)})
        yield from given or ["  nothing"]


def _subjects(objects: tuple[Manifest, ...]) -> set[tuple[str, str, str, str]]:
    """(kind, name, namespace, what is known of its token) of every account that is made or bound."""
    found = {
        (
            "ServiceAccount",
            item["metadata"]["name"],
            item["metadata"]["namespace"],
            "" if item["automountServiceAccountToken"] else " (its token is mounted only where a pod asks for it)",
        )
        for item in render.of_kind(objects, "ServiceAccount")
    }
    known = {(kind, name, namespace) for kind, name, namespace, _ in found}
    bound = {
        (subject["kind"], subject["name"], subject.get("namespace", ""))
        for binding in _bindings(objects)
        for subject in binding["subjects"]
    }
    return found | {(*subject, "") for subject in bound - known}


def _bindings(objects: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    return (*render.of_kind(objects, "RoleBinding"), *render.of_kind(objects, "ClusterRoleBinding"))


def rules(objects: tuple[Manifest, ...], account: tuple[str, str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(where, rule) for each rule of each role that is bound to the account (name, namespace)."""
    for binding in _bindings(objects):
        if account not in {(subject["name"], subject.get("namespace", "")) for subject in binding["subjects"]}:
            continue
        where = binding["metadata"].get("namespace", CLUSTER)
        reference = binding["roleRef"]
        in_ = where if reference["kind"] == "Role" else None
        role = render.one(objects, reference["kind"], reference["name"], namespace=in_)
        yield from ((where, rule) for rule in role["rules"])


def _rule(where: str, rule: Mapping[str, Any]) -> Iterator[str]:
    only = f" named {', '.join(rule['resourceNames'])}" if "resourceNames" in rule else ""
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            kind = f"{resource}.{group}".removesuffix(".")
            yield f"  {where}: {kind}{only}: {', '.join(sorted(rule['verbs']))}"


if __name__ == "__main__":
    FILE.write_text(text())
