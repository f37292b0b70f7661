"""The one limit of a job's ConfigMap."""

from __future__ import annotations

import pytest

from scheduler.errors import TooLargeError
from scheduler.model import job_size


def test_values_and_ir_share_one_limit() -> None:
    job_size.check(ir_bytes=450 * 1024, values_bytes=450 * 1024)

    with pytest.raises(
        TooLargeError, match=r"IR \(450 KiB\) and Values \(451 KiB\) together are 901 KiB; at most 900 KiB"
    ):
        job_size.check(ir_bytes=450 * 1024, values_bytes=451 * 1024)
