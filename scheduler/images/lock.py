"""Resolves the requirement locks: names, versions and hashes; no addresses.

`requirements-dev.lock` is resolved from every extra of pyproject.toml; each image's lock is a subset of it, so that
what was tested is what runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scheduler import command

_LIMIT_SECONDS: Final = 600
_HEADER: Final = "# Made by `make lock`; not to be edited.\n"
_OPTIONS: Final = (
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock file and what it is resolved from."""

    source: Path
    target: Path
    options: tuple[str, ...] = ()


def development(root: Path) -> Lock:
    return Lock(source=root / "pyproject.toml", target=root / "requirements-dev.lock", options=("--all-extras",))


def images(root: Path) -> tuple[Lock, ...]:
    """The locks of all images, one for each `*.in` in a `build` folder."""
    return tuple(_of(source) for source in sorted((root / "charts" / "subcharts").glob("*/build/*.in")))


def write(root: Path, *, tell: Callable[[str], None]) -> None:
    """Resolve every lock anew, keeping the versions that stand in it as long as they fit. Needs the network and uv."""
    everything = development(root)
    _write(everything, (), tell)
    for lock in images(root):
        _write(lock, (f"--constraints={everything.target}",), tell)


def without_addresses(text: str) -> str:
    """A resolved lock with our header, lines that name an index or another file left out."""
    kept = [
        line
        for line in text.splitlines()
        if not line.lstrip().startswith(("--index", "--extra-index", "--find", "-c ", "-e "))
    ]
    return _HEADER + "\n".join(kept).strip() + "\n"


def names(text: str) -> tuple[str, ...]:
    """The packages that a lock pins, in its order.

    >>> names("a==1 \\\\\\n    --hash=sha256:00\\nb==2 ; python_version < '3.12'\\n")
    ('a', 'b')
    """
    return tuple(line.split("==", 1)[0].strip() for line in _pins(text))


def _pins(text: str) -> Iterable[str]:
    return (line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#", "-")))


def _of(source: Path) -> Lock:
    # the engine's jars are taken from a package whose Python requirements the image does without
    options = ("--no-deps",) if source.stem == "jars" else ()
    return Lock(source=source, target=source.with_suffix(".lock"), options=options)


def _write(lock: Lock, options: Sequence[str], tell: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="modelops-lock-") as name:
        resolved = Path(name) / lock.target.name
        if lock.target.exists():
            resolved.write_bytes(lock.target.read_bytes())
        words = [
            "uv",
            "pip",
            "compile",
            *_OPTIONS,
            *lock.options,
            *options,
            f"--output-file={resolved}",
            str(lock.source),
        ]
        command.run(words, limit_seconds=_LIMIT_SECONDS)
        text = without_addresses(resolved.read_text())
    lock.target.write_text(text)
    tell(f"{lock.target}: {len(names(text))} packages")
