"""Sources as the runner knows them apart from the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.flow import sources
from scheduler.flow.config import Checked, File, Generated, RunnerConfig
from scheduler.flow.failure import FlowFailedError
from scheduler.flow.source_count import Grown
from scheduler.model.job import Reason


def of(source: File | Generated) -> sources.Source:
    config = RunnerConfig(release="j", flow="f", source=source, sink=Checked(), required=("id",))
    return sources.of(config)


def test_what_is_made_up_has_the_records_that_were_asked_for() -> None:
    source = of(Generated(count=12))
    source.open()
    assert (str(source), source.count(), source.size()) == ("the generator", 12, 0)


def test_a_drained_generator_has_what_it_made() -> None:
    assert of(Generated(count=0)).grown(345) == Grown(records=345, size=345)


def test_a_file_is_counted(tmp_path: Path) -> None:
    source = of(File(path=tmp_path / "in.csv", format="csv"))
    (tmp_path / "in.csv").write_text("id\n1\n2\n3")
    source.open()
    assert (str(source), source.count(), source.size()) == (str(tmp_path / "in.csv"), 3, 8)
    assert source.grown(8) == Grown(records=2, size=7)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    source = of(File(path=tmp_path / "in.csv", format="csv"))
    with pytest.raises(FlowFailedError) as missing:
        source.open()
    with pytest.raises(FlowFailedError) as gone:
        source.size()
    assert (missing.value.reason, gone.value.reason) == (Reason.SOURCE_MISSING, Reason.SOURCE_DAMAGED)
