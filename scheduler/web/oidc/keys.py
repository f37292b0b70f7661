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
"""A key that the issuer has withdrawn is good for so long at most, as long as the issuer answers at once."""
LONGEST_SECONDS: Final = 3600.0
"""How long keys are good while the issuer does not answer."""
PAUSE_SECONDS: Final = 10.0
"""Between two questions at least, whatever tokens come: a stranger must not make us flood the issuer."""
_WAIT_SECONDS: Final = 6.0
"""For an answer without which nothing can be said."""
_SOON_SECONDS: Final = 0.5
"""For an answer that may only take away what is known; one caller waits so long for each question."""
_MOST_WAITING: Final = 20
"""Each holds a worker thread, of which a server has 40: strangers must not take them all from those who are known."""
_UNKNOWN: Final = "the keys of the token's issuer cannot be read at present"
_ASYMMETRIC: Final = ("RSA", "EC", "OKP")

_log = logging.getLogger(__name__)


class KeyRing:
    """Keys by their names. Safe for many threads; the issuer is asked in a thread of its own, once for all of them."""

    def __init__(self, read: Callable[[], Sequence[Jwk]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)
        self._keys: tuple[Jwk, ...] = ()
        self._read_at = float("-inf")
        self._asked_at = float("-inf")
        self._answered = threading.Event()
        """The last question has come to an end."""
        self._answered.set()

    def key(self, name: str) -> Jwk | None:
        """The key of that name; without a name, the only one that there is. None when there is none.

        A name that is not known is asked for again, and so are keys that are no longer fresh: a new key of the issuer
        is accepted within 10 seconds. Whoever brings a known one does not wait for an issuer that hangs.
        UnavailableError when the issuer has not answered for an hour, or never, and when many wait already.
        """
        is_known = self._age() <= LONGEST_SECONDS and self._named(name) is not None
        if self._age() > FRESH_SECONDS or not is_known:
            begun = self._ask()
            if not is_known:
                self._wait()
            elif begun:
                # what an issuer that is well has withdrawn is not accepted even once
                self._answered.wait(_SOON_SECONDS)
        if self._age() > LONGEST_SECONDS:
            raise UnavailableError(_UNKNOWN)  # why is for the log
        return self._named(name)

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _named(self, name: str) -> Jwk | None:
        keys = self._keys
        found = [key for key in keys if key.get("kid") == name] if name else list(keys)
        return found[0] if len(found) == 1 else None

    def _ask(self) -> bool:
        """Begin to ask the issuer, unless that is under way or was a moment ago; whether it was begun."""
        with self._lock:
            if not self._answered.is_set() or self._clock() - self._asked_at < PAUSE_SECONDS:
                return False
            self._asked_at = self._clock()
            self._answered.clear()
        try:
            threading.Thread(target=self._renew, name="keys-of-issuer", daemon=True).start()
        except RuntimeError as error:  # no thread is to be had at present
            _log.warning("the keys of the tokens' issuer cannot be asked for: %s", error)
            self._answered.set()
            return False
        return True

    def _wait(self) -> None:
        if not self._waiting.acquire(blocking=False):
            raise UnavailableError(_UNKNOWN)
        try:
            self._answered.wait(_WAIT_SECONDS)
        finally:
            self._waiting.release()

    def _renew(self) -> None:
        try:
            self._keys, self._read_at = tuple(key for key in self._read() if _is_for_signatures(key)), self._clock()
        except UnavailableError as error:
            _log.warning("the keys of the tokens' issuer cannot be read: %s", error)
        finally:
            self._answered.set()


def _is_for_signatures(key: Jwk) -> bool:
    """Whether it is a public key that verifies. A symmetric key in such a list would be known to everybody."""
    uses = key.get("key_ops", ["verify"])
    is_verifying = isinstance(uses, list) and "verify" in uses
    return key.get("kty") in _ASYMMETRIC and key.get("use", "sig") == "sig" and is_verifying
