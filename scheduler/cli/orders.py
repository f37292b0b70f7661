"""Bodies of `POST /v1/jobs` and `POST /v1/plans` from what the command line says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.cli import given

if TYPE_CHECKING:
    from scheduler.ir.load import Loaded


def loaded(folder: Path) -> Loaded:
    """The IR of a folder, every model with the digest of its file."""
    from scheduler.ir import load  # noqa: PLC0415 - no other order reads an IR, and it brings the schemas

    return load.from_folder(folder, fill_digests=True, model_types=None)


def of_ir(ir: Loaded, *, environment: str) -> dict[str, object]:
    """An IR that is sent with the order."""
    return {"environment": environment, "ir": [dict(document) for document in ir.documents]}


def of_pipeline(name: str, revision: int | None, *, environment: str) -> dict[str, object]:
    """A deployed pipeline; its newest revision without a number."""
    chosen = {} if revision is None else {"revision": revision}
    return {"environment": environment, "pipeline": name, **chosen}


def of_git(path: str, ref: str, folder: str, *, environment: str) -> dict[str, object]:
    """An IR on the platform's git server."""
    place = {"path": path, "ref": ref, **({"folder": folder} if folder else {})}
    return {"environment": environment, "git": place}


def wishes(
    *,
    sets: Sequence[str] | None = None,
    parameters: Path | None = None,
    deadlines: Sequence[str] | None = None,
    data_versions: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    trigger: str = "",
) -> dict[str, object]:
    """All that is said beside what to run; what is not said is left out."""
    found = given.together(
        {
            "parameters": lambda: given.parameters(sets, parameters),
            "deadlines": lambda: given.deadline_texts(deadlines),
            "dataVersions": lambda: given.texts("--data-version", data_versions),
            "labels": lambda: given.texts("--label", labels),
            "trigger": lambda: given.json_object("--trigger", trigger),
        }
    )
    return {key: value for key, value in found.items() if value}
