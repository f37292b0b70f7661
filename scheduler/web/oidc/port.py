"""What the gate needs of an issuer of tokens that is not the API server."""

from __future__ import annotations

from typing import Protocol

from scheduler.cluster.port import Caller


class Issuer(Protocol):
    """Blocks, so it is asked from worker threads. Safe for many of them."""

    def has_issued(self, token: str) -> bool:
        """Whether the token says so of itself, and is for us: nothing of it has been verified."""
        ...

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; None when it is not accepted, for whatever reason.

        UnavailableError while the issuer's keys are not known.
        """
        ...
