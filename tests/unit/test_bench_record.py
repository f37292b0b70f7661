"""The page of figures: a bench replaces its own section, and the goals stand on top, missed ones too."""

from __future__ import annotations

from pathlib import Path

from tests.bench import record
from tests.bench.record import Bench


def measured(title: str, seconds: float) -> Bench:
    bench = Bench(is_full=True)
    bench.of(title, f"What {title} is.")
    bench.figure("time | all", seconds, "s", at_most=13)
    bench.figure("rate", 40_000.0, "records/s", at_least=40_000)
    bench.figure("beside", 0.5, "s")
    bench.note("Words below.")
    return bench


def test_a_bench_replaces_its_section_and_leaves_the_others(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    record.write(measured("Submit", 12.0), page)
    record.write(measured("No-op job", 14.0), page)
    before = record.sections_of(page.read_text())["Submit"]

    record.write(measured("No-op job", 12.5), page)

    sections = record.sections_of(page.read_text())
    assert list(sections) == ["No-op job", "Submit"]
    assert sections["Submit"] == before
    assert "12.5 s" in sections["No-op job"]
    assert "Words below." in sections["No-op job"]


def test_the_goals_stand_on_top_and_a_missed_one_says_so(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    record.write(measured("No-op job", 14.2), page)

    goals = page.read_text().partition("## Goals")[2].partition("## No-op job")[0].splitlines()

    assert [line for line in goals if line.startswith("| No-op")] == [
        "| No-op job: time / all | 14.2 s | ≤ 13 s | **no** |",
        "| No-op job: rate | 40,000 records/s | ≥ 40,000 records/s | yes |",
    ]
