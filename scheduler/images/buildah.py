"""Builds and pushes with buildah: as root on a machine, or in an unprivileged pod."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from scheduler.images import network, program
from scheduler.images.registry import is_plain, split

_BUILD_SECONDS: Final = 1800
_PUSH_SECONDS: Final = 600
_CREATED: Final = 1
"""Time of creation of every image and file in its layers, in seconds since 1970: equal content, equal digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where buildah keeps layers; by default its own folders, with the driver of `STORAGE_DRIVER`."""

    folder: Path | None = None
    driver: str = ""

    def options(self) -> tuple[str, ...]:
        places = (f"--root={self.folder}/root", f"--runroot={self.folder}/run") if self.folder else ()
        return (*places, *((f"--storage-driver={self.driver}",) if self.driver else ()))


class Buildah:
    """A Builder; use it in a `with`, so that the secrets it gives to RUN steps are removed."""

    def __init__(self, *, storage: Storage, plain_http: bool | None = None) -> None:
        self._storage = storage
        self._plain_http = plain_http
        self._stack = ExitStack()
        self._secrets: Mapping[str, Path] = {}

    def __enter__(self) -> Buildah:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="modelops-secrets-"))
        self._secrets = network.secrets(os.environ, Path(folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def build(self, *, reference: str, folder: Path, containerfile: Path, args: Mapping[str, str]) -> None:
        """Chroot isolation and the machine's network: what works without privileges inside a pod as well."""
        options = [
            "--isolation=chroot",
            "--network=host",
            "--layers",
            "--format=oci",
            f"--timestamp={_CREATED}",
            self._tls(reference),
            *(f"--secret=id={name},src={path}" for name, path in self._secrets.items()),
            *(f"--build-arg={key}={value}" for key, value in args.items()),
        ]
        words = ["bud", *options, f"--file={containerfile}", f"--tag={reference}", str(folder)]
        self._run(words, limit_seconds=_BUILD_SECONDS)

    def push(self, reference: str) -> str:
        with tempfile.NamedTemporaryFile(prefix="modelops-digest-") as file:
            words = [
                "push",
                self._tls(reference),
                "--format=oci",
                "--compression-format=zstd",
                f"--digestfile={file.name}",
            ]
            self._run([*words, reference, f"docker://{reference}"], limit_seconds=_PUSH_SECONDS)
            return Path(file.name).read_text().strip()

    def _tls(self, reference: str) -> str:
        host, _, _ = split(reference)
        plain = is_plain(host) if self._plain_http is None else self._plain_http
        return f"--tls-verify={str(not plain).lower()}"

    def _run(self, words: Sequence[str], *, limit_seconds: float) -> None:
        program.run(["buildah", *self._storage.options(), *words], limit_seconds=limit_seconds)
