"""What is open while a command runs, closed when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

_OPEN: ContextVar[ExitStack] = ContextVar("_OPEN")


@contextmanager
def all_() -> Iterator[None]:
    """Calls at its end everything that was handed to `later` in it."""
    with ExitStack() as stack:
        before = _OPEN.set(stack)
        try:
            yield
        finally:
            _OPEN.reset(before)


def later(close: Callable[[], None]) -> None:
    """Have `close` called when the command ends."""
    _OPEN.get().callback(close)
