"""Builds and pushes with buildah: as root on a machine, or in an unprivileged pod."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from scheduler import command
from scheduler.errors import ProgramError, UnavailableError
from scheduler.images import network
from scheduler.images.connection import is_plain, without_port
from scheduler.images.references import split

_BUILD_SECONDS: Final = 1800
_PUSH_SECONDS: Final = 600
_FORGET_SECONDS: Final = 120
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

    def __init__(
        self,
        *,
        storage: Storage,
        plain_http: bool | None = None,
        settings: Path | None = None,
        authentication: Path | None = None,
        has_layers: bool = True,
        deadline: float | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`settings` is a folder as of `network`; None: this machine's own are used.

        `authentication` is a docker configuration file with logins. With `has_layers` a layer is kept for each step of
        a Containerfile, of the build of each image that was pushed last. By `deadline`, on the monotonic clock,
        everything ends. `tell` hears what buildah says.
        """
        self._program = ("buildah", *storage.options())
        self._plain_http = plain_http
        self._settings = settings
        self._environ = {"REGISTRY_AUTH_FILE": str(authentication)} if authentication else {}
        self._has_layers = has_layers
        self._deadline = deadline
        self._tell = tell
        self._stack = ExitStack()
        self._secrets: Mapping[str, Path] = {}

    def __enter__(self) -> Buildah:
        folder = self._settings
        if folder is None:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="modelops-secrets-")))
            network.write(network.machine(os.environ), folder)
        self._secrets = network.secrets(folder)
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
            f"--layers={str(self._has_layers).lower()}",
            "--format=oci",
            f"--timestamp={_CREATED}",
            self._tls(reference),
            *(f"--secret=id={name},src={path}" for name, path in self._secrets.items()),
            *(f"--build-arg={key}={value}" for key, value in args.items()),
        ]
        words = ["bud", *options, f"--file={containerfile}", f"--tag={reference}", str(folder)]
        self._run(words, references=[reference, *args.values()], limit_seconds=_BUILD_SECONDS)

    def push(self, reference: str) -> str:
        with tempfile.NamedTemporaryFile(prefix="modelops-digest-") as file:
            words = [
                "push",
                self._tls(reference),
                "--format=oci",
                "--compression-format=zstd",
                f"--digestfile={file.name}",
            ]
            line = [*words, reference, f"docker://{reference}"]
            self._run(line, references=[reference], limit_seconds=_PUSH_SECONDS)
            digest = Path(file.name).read_text().strip()
        if self._has_layers:
            self._forget_earlier(reference)
        return digest

    def _forget_earlier(self, reference: str) -> None:
        """Remove that image's builds before this one; the layers that they share with it stay, for the next build."""
        limit = self._limit(_FORGET_SECONDS)
        try:
            listed = json.loads(command.run([*self._program, "images", "--json"], limit_seconds=limit))
            earlier = [name for image in listed for name in image.get("names") or () if _is_earlier(name, reference)]
            if earlier:
                command.run([*self._program, "rmi", *earlier], limit_seconds=limit)
        except (ProgramError, UnavailableError) as error:  # the image is pushed all the same
            self._tell(f"earlier builds of {reference} stay in buildah's storage: {error}")

    def _tls(self, reference: str) -> str:
        host, _, _ = split(reference)
        plain = is_plain(host) if self._plain_http is None else self._plain_http
        return f"--tls-verify={str(not plain).lower()}"

    def _run(self, words: Sequence[str], *, references: Iterable[str], limit_seconds: float) -> None:
        limit = self._limit(limit_seconds)
        environ = {**self._environ, **_past_proxies(os.environ, references)}
        line = [*self._program, *words]
        command.follow(line, limit_seconds=limit, tell=self._tell, environ=environ, name=f"buildah {words[0]}")

    def _limit(self, seconds: float) -> float:
        return seconds if self._deadline is None else max(1.0, min(seconds, self._deadline - time.monotonic()))


def _is_earlier(name: str, reference: str) -> bool:
    """Whether both are builds of one image, and not the same.

    >>> _is_earlier("r:5000/flow:1", "r:5000/flow:2"), _is_earlier("r:5000/flow:2", "r:5000/flow:2")
    (True, False)
    >>> _is_earlier("r:5000/base:1", "r:5000/flow:2")
    False
    """
    return name != reference and split(name)[:2] == split(reference)[:2]


def _past_proxies(environ: Mapping[str, str], references: Iterable[str]) -> Mapping[str, str]:
    """NO_PROXY with the registries at private addresses, which our own client does not ask a proxy for either.

    What is no reference names no such registry.
    """
    hosts = {split(reference)[0] for reference in references}
    direct = sorted(without_port(host) for host in hosts if is_plain(host))
    if not direct:
        return {}
    given = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join([*([given] if given else []), *direct]))
