"""A response read line by line while it comes: watches and logs."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress

import urllib3

from scheduler.cluster import translation
from scheduler.errors import UnavailableError


class Lines:
    """Lines of a response as they come; the connection goes back to the pool only when it was read to its end."""

    def __init__(self, response: urllib3.BaseHTTPResponse, what: str) -> None:
        self._response = response
        self._what = what
        self._is_closed = False
        self._lines = self._split()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            with translation.translated(self._what):
                return next(self._lines)
        except UnavailableError:
            if self._is_closed:  # the connection broke because we wanted it to
                raise StopIteration from None
            raise

    def close(self) -> None:
        self._is_closed = True
        with suppress(RuntimeError):  # it was read to its end: the connection is in the pool again
            self._response.shutdown()

    def release(self) -> None:
        """Give up the connection, by the thread that reads."""
        self._lines.close()

    def _split(self) -> Generator[str]:
        rest, complete = b"", False
        try:
            for chunk in self._response.stream(amt=65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace")
            if rest:
                yield rest.decode(errors="replace")
            complete = True
        finally:
            if complete:
                self._response.release_conn()
            else:
                self._response.close()
