"""The ledger: nothing is published unless every record is accounted for, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scheduler.flow import accounting, completion, engine
from scheduler.model.job import Ledger, Reason
from scheduler.model.pipeline import MapStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

SAME = MapStep(name="same", mapping="root = this")


@pytest.mark.parametrize(("ratio", "reason"), [(0.01, Reason.COMPLETED), (0.0099, Reason.TOO_MANY_DEAD_LETTERS)])
def test_the_dead_letter_ratio(make: Any, data: Callable[..., str], ratio: float, reason: Reason) -> None:
    flow = make(SAME, max_ratio=ratio)
    flow.write(data(1000, x=lambda i: "?" if i % 100 == 50 else i))
    end = flow.run()
    assert end.reason is reason
    if reason is Reason.TOO_MANY_DEAD_LETTERS:
        assert "10 of 1000 records are dead letters" in end.message
        assert "step 'decode', record 51 (line 52): x: \"?\" is not a double" in end.message
        assert flow.published() == set()


def test_the_first_dead_letter_without_a_channel_for_it(make: Any, data: Callable[..., str]) -> None:
    flow = make(SAME, dead_letters=None)
    flow.write("id,x,name\n1,2,a\nb,3,c\n")
    end = flow.run()
    assert end.reason is Reason.TOO_MANY_DEAD_LETTERS
    assert end.message == "step 'decode', record 2 (line 3): id: \"b\" is not an int64"
    assert flow.published() == set()


@pytest.mark.parametrize(
    "broken",
    [
        lambda ledger: {"read": ledger["read"] - 1},
        lambda ledger: {"written": ledger["written"] + 1},
        lambda ledger: {"filtered": ledger["filtered"] + 1},
        lambda ledger: {"dropped": 1},
    ],
    ids=["read", "written", "filtered", "dropped"],
)
def test_a_wrong_counter_publishes_nothing(
    make: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch, broken: Callable[[Any], dict[str, int]]
) -> None:
    real = engine._report
    monkeypatch.setattr(
        engine, "_report", lambda answer: real({**answer, "ledger": {**answer["ledger"], **broken(answer["ledger"])}})
    )
    flow = make(SAME)
    flow.write(data(100))
    end = flow.run()
    assert end.reason is Reason.ACCOUNTING_MISMATCH
    assert flow.published() == set()


@pytest.mark.parametrize("lines", [1, -1], ids=["doubled", "lost"])
def test_a_wrong_file_publishes_nothing(
    make: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    real = accounting.take

    def take(ledger: Ledger, **files: Any) -> Ledger:
        path: Path = files["sink"].path
        text = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(text + text[:1] if lines > 0 else text[1:]))
        return real(ledger, **files)

    monkeypatch.setattr(accounting, "take", take)
    flow = make(SAME)
    flow.write(data(100))
    end = flow.run()
    assert end.reason is Reason.ACCOUNTING_MISMATCH
    assert f"{100 + lines} records in the sink of 100 written" in end.message
    assert flow.published() == set()


def test_another_attempt_takes_over(make: Any, data: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    flow = make(SAME)
    flow.write(data(10))
    real = accounting.take
    late: list[completion.Completion] = []

    def take(ledger: Ledger, **files: Any) -> Ledger:
        taken = real(ledger, **files)
        if "uid-1" in files["sink"].path.name:
            late.append(flow.run("uid-2"))
        return taken

    monkeypatch.setattr(accounting, "take", take)
    end = flow.run("uid-1")
    assert late[0].reason is Reason.COMPLETED
    assert end.reason is Reason.FLOW_CRASHED
    assert "another attempt of this job has taken over" in end.message
    assert flow.published() == {"out.jsonl", "dead.jsonl"}
    assert len(flow.records()) == 10
