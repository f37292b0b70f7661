"""How Go is called for whatever this project compiles: reproducibly, without C, with the modules that go.sum names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from scheduler import command

ENVIRON: Final = MappingProxyType(
    {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
)


def flags(*, tags: Sequence[str] = (), variables: Sequence[str] = ()) -> tuple[str, ...]:
    """Flags of `go build`: small and reproducible; `variables` are set at link time, as `-X name=value`.

    >>> flags()
    ('-trimpath', '-buildvcs=false', '-ldflags=-s -w')
    """
    chosen = [f"-tags={','.join(tags)}"] if tags else []
    return ("-trimpath", "-buildvcs=false", *chosen, f"-ldflags={' '.join(['-s', '-w', *variables])}")


def version_of(go: Path) -> str:
    """Such as `go1.26.8`."""
    return command.run([go, "env", "GOVERSION"], limit_seconds=30, environ=ENVIRON).strip()


def sources(folder: Path) -> Iterable[Path]:
    """What a build of the module depends on, in a fixed order: all its files but tests."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith("_test.go"))
