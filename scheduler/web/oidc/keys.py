"""The public keys of an issuer, read when they are needed and seldom."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from scheduler.errors import UnavailableError

Jwk: TypeAlias = Mapping[str, Any]
"""A JSON Web Key (RFC 7517)."""

FRESH_SECONDS: Final = 300.0
"""A key that the issuer has withdrawn is good for so long at most, as long as the issuer answers."""
LONGEST_SECONDS: Final = 3600.0
"""How long keys are good while the issuer does not answer."""
PAUSE_SECONDS: Final = 10.0
"""Between two questions at least, whatever tokens come: a stranger must not make us flood the issuer."""
_WAIT_SECONDS: Final = 6.0
_ASYMMETRIC: Final = ("RSA", "EC", "OKP")

_log = logging.getLogger(__name__)


class KeyRing:
    """Keys by their names. Safe for many threads; one of them asks the issuer, the others wait for its answer."""

    def __init__(self, read: Callable[[], Sequence[Jwk]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: tuple[Jwk, ...] = ()
        self._read_at = float("-inf")
        self._asked_at = float("-inf")

    def key(self, name: str) -> Jwk | None:
        """The key of that name; without a name, the only one that there is. None when there is none.

        A name that is not known is asked for again, and so are keys that are no longer fresh: a new key of the issuer
        is accepted within 10 seconds. UnavailableError when the issuer has not answered for an hour, or never.
        """
        if self._age() > FRESH_SECONDS or self._named(name) is None:
            self._ask()
        if self._age() > LONGEST_SECONDS:
            raise UnavailableError("the keys of the token's issuer cannot be read at present")  # why is for the log
        return self._named(name)

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _named(self, name: str) -> Jwk | None:
        keys = self._keys
        found = [key for key in keys if key.get("kid") == name] if name else list(keys)
        return found[0] if len(found) == 1 else None

    def _ask(self) -> None:
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            return
        try:
            if self._clock() - self._asked_at < PAUSE_SECONDS:
                return
            self._asked_at = self._clock()
            self._keys, self._read_at = tuple(key for key in self._read() if _is_for_signatures(key)), self._clock()
        except UnavailableError as error:
            _log.warning("the keys of the tokens' issuer cannot be read: %s", error)
        finally:
            self._lock.release()


def _is_for_signatures(key: Jwk) -> bool:
    """Whether it is a public key that verifies. A symmetric key in such a list would be known to everybody."""
    uses = key.get("key_ops", ["verify"])
    is_verifying = isinstance(uses, list) and "verify" in uses
    return key.get("kty") in _ASYMMETRIC and key.get("use", "sig") == "sig" and is_verifying
