"""The platform's Helm release, as tests put it there and change it for a while."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from scheduler.demo import installation
from scheduler.demo.installation import NAMESPACE, Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    platform: Platform
    values: Path
    """Helm values that name container-tools and the registry."""
    images: Mapping[str, str]
    """Image -> reference by digest, as the first installation built them."""

    def install(self, *settings: str) -> None:
        """The platform with each of `settings` as a `--set`; both servers are up afterwards.

        The images are there: an installation that does not ask for their builds again is the deployment alone.
        """
        given = {"build": {"enabled": False}, "images": dict(self.images)}
        built = self.values.with_name("built.yaml")
        built.write_text(yaml.safe_dump({"global": given}))
        extra = [word for setting in settings for word in ("--set", setting)]
        words = ["--values", str(built), *extra]
        installation.install(self.platform, self.values, extra=words, has_builds=False)
        _await_services(self.platform)

    @contextmanager
    def changed(self, *settings: str) -> Iterator[None]:
        """The platform with other settings, put back at the end."""
        self.install(*settings)
        try:
            yield
        finally:
            self.install()


def _await_services(platform: Platform) -> None:
    """Until the node leads to the servers: its rules follow a moment after their pods are ready."""
    for service in platform.objects("services", "-n", NAMESPACE):
        address = (service["spec"]["clusterIP"], service["spec"]["ports"][0]["port"])
        deadline = time.monotonic() + _LIMIT_SECONDS
        while True:
            try:
                socket.create_connection(address, timeout=2).close()
                break
            except OSError:
                assert time.monotonic() < deadline, f"nothing answers at {address}"
                time.sleep(0.2)


def once(make: Callable[[], Deployed]) -> Deployed:
    """What `make` gave at the first call: several folders of tests have the fixture, and one platform."""
    if not _MADE:
        _MADE.append(make())
    return _MADE[0]


_MADE: Final[list[Deployed]] = []
_LIMIT_SECONDS: Final = 60.0
