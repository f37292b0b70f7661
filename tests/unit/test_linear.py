"""Twice the pipeline is twice the work, counted in calls of functions: clocks tell less, and not always the same."""

from __future__ import annotations

import cProfile
from collections.abc import Callable

from scheduler.ir import load
from scheduler.preprocess import resolve
from tests.bench import test_ir_load, test_preprocess


def calls(work: Callable[[], object]) -> int:
    """How many calls of functions, Python's own among them, `work` makes when it is done for the second time."""
    work()
    profile = cProfile.Profile()
    profile.runcall(work)
    return sum(int(entry.callcount) for entry in profile.getstats())


def test_loading_is_linear_in_steps_and_models() -> None:
    small, large = test_ir_load.ir_of(200), test_ir_load.ir_of(400)

    assert calls(lambda: load.from_text(large)) < 2.1 * calls(lambda: load.from_text(small))


def test_pre_processing_is_linear_in_steps_and_models() -> None:
    small, large = test_preprocess.pipeline(200), test_preprocess.pipeline(400)
    request = test_preprocess.request()

    assert calls(lambda: resolve.values(large, request=request)) < 2.1 * calls(
        lambda: resolve.values(small, request=request)
    )
