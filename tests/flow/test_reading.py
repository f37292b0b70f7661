"""Engine and runner read a source alike, whatever is in it; and the engine takes what the compiler writes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from scheduler.lint.bento import BentoLint
from scheduler.model.job import Reason
from scheduler.model.pipeline import MapStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(90)]

GOLDEN = Path(__file__).parents[1] / "unit" / "preprocess" / "flow.golden.yaml"
PIECES = ['"', '""', ",", "\n", "\r\n", "\r", "1", "a b", "\n\n", '"x"', ",,", "é", " ", "2,3,c\n", '4,"5\n6",d\n']


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("format_", ["csv", "json-lines"])
def test_any_text(make: Any, format_: str, seed: int) -> None:
    """Each record of a mutilated file is written or a dead letter; or the file is damaged, and both say so."""
    chance = random.Random(seed)
    text = "id,x,name\n" if format_ == "csv" else '{"id": 1}\n'
    text += "".join(chance.choice(PIECES) for _ in range(chance.randrange(400)))
    flow = make(
        MapStep(name="same", mapping="root = this"), output=make().input, source={"path": "in", "format": format_}
    )
    flow.write(text, "in")
    end = flow.run()
    if text.count('"') % 2 == 0 and end.reason is Reason.SOURCE_DAMAGED:
        assert "a quote is opened and never closed" in end.message
        return
    assert end.reason in {Reason.COMPLETED, Reason.SOURCE_DAMAGED}
    if end.reason is Reason.COMPLETED:
        assert end.ledger.read == end.total == len(flow.records()) + len(flow.records("dead.jsonl"))


def test_the_compilers_golden_text_is_what_the_engine_takes(bento: str) -> None:
    assert BentoLint(bento).check(GOLDEN.read_text()) == ()
