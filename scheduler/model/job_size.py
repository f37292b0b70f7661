"""What fits into a job: IR and Values travel in one ConfigMap."""

from __future__ import annotations

from typing import Final

from scheduler.errors import TooLargeError

MAX_BYTES: Final = 900 * 1024
"""Of IR and Values together; the API server accepts objects of 1 MiB."""


def check(*, ir_bytes: int, values_bytes: int) -> None:
    """Raise TooLargeError when a job's ConfigMap could not hold both."""
    total = ir_bytes + values_bytes
    if total > MAX_BYTES:
        raise TooLargeError(
            f"IR ({_kib(ir_bytes)}) and Values ({_kib(values_bytes)}) together are {_kib(total)}; "
            f"at most {_kib(MAX_BYTES)} fit into a job's ConfigMap. Split the pipeline, or shorten its texts."
        )


def _kib(size: int) -> str:
    return f"{size / 1024:.0f} KiB"
