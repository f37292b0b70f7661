"""The scheduling server, asked under this server's own account."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from scheduler.client.scheduling import SchedulingClient
from scheduler.errors import ForbiddenError, UnauthenticatedError, UnavailableError

AT_ONCE: Final = 16
"""Requests under way at most: well below the threads that serve requests, so that a scheduling server which hangs takes
neither the artifact store nor the health routes with it, and can itself read the pipeline that it is asked to start."""


class Scheduling:
    """Lets so many requests through to the scheduling server, whose errors come out as they are."""

    def __init__(self, client: SchedulingClient, *, at_once: int = AT_ONCE) -> None:
        self._client = client
        self._free = threading.BoundedSemaphore(at_once)

    @contextmanager
    def asked(self) -> Iterator[SchedulingClient]:
        """The client for one request.

        UnavailableError when too many are under way, and when our own account is refused: that is nothing which the
        caller could mend by another token or right.
        """
        if not self._free.acquire(blocking=False):
            raise UnavailableError("too many requests wait for the scheduling server", retry_after_seconds=2)
        try:
            yield self._client
        except (ForbiddenError, UnauthenticatedError) as error:
            raise UnavailableError(f"the scheduling server refuses this server's own account: {error}") from error
        finally:
            self._free.release()
