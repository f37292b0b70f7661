"""What must hold after a demonstration job: sums, flights, probabilities, and an empty cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scheduler import names
from scheduler.demo.installation import ENVIRONMENT, Platform

RECOUNT: Final = Path(__file__).with_name("recount.py")


def recount(source: Path, sink: Path, model: Path) -> dict[str, Any]:
    """What the independent script finds in the files."""
    command = [sys.executable, str(RECOUNT), str(source), str(sink), str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"right": False, "error": done.stderr[-2000:]}
    return found


def ledger(job: Mapping[str, Any]) -> dict[str, int]:
    """The terms of the job's ledger; empty when it has none."""
    return {term: count for term, count in (job["records"] or {}).items() if term != "perSecond"}


def complaints(job: Mapping[str, Any], counted: Mapping[str, Any], left: list[str]) -> list[str]:
    """Every way in which the job's record, its files and the cluster disagree."""
    found = []
    if job["state"] != "SUCCEEDED" or job["cleanup"] != "CLEAN":
        found.append(f"the job is {job['state']}, {job['cleanup']}: {job['message']}")
    records = ledger(job)
    found.extend(
        f"{term}: the job says {records.get(term)}, the files say {counted.get(term)}"
        for term in ("read", "written", "filtered")
        if records.get(term) != counted.get(term)
    )
    others = {term: count for term, count in records.items() if term not in {"read", "written", "filtered"} and count}
    if others:
        found.append(f"records went where none should go: {others}")
    if not counted.get("right"):
        found.append(f"the files are not right: {dict(counted)}")
    found.extend(f"left in the cluster: {name}" for name in left)
    return found


def leftovers(platform: Platform, job: str) -> list[str]:
    """Every object of any kind in the environment that carries the job's release label."""
    kinds = platform.kubectl("api-resources", "--verbs=list", "--namespaced", "-o", "name").decode().split()
    selection = ("-n", ENVIRONMENT, "-l", f"{names.RELEASE}={job}")
    return [f"{item['kind']}/{item['metadata']['name']}" for item in platform.objects(",".join(kinds), *selection)]
