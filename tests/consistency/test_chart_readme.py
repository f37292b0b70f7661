"""Every value of a chart is described where it stands, and its README says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.consistency import chart_readme

VALUES = """\
# words about the file
top:
  # -- How many there are;
  # none is none.
  count: 1
  inner:
    # -- A | B.
    kind: {a: b}
bare: true
"""


def test_a_comment_belongs_to_the_value_below_it() -> None:
    found = [(row.path, row.description, row.default) for row in chart_readme.rows(VALUES)]
    assert found == [
        (("top", "count"), "How many there are; none is none.", 1),
        (("top", "inner", "kind"), "A | B.", {"a": "b"}),
    ]


def test_a_value_without_words_is_found() -> None:
    assert chart_readme.undescribed(VALUES) == ("bare",)


def test_the_table_is_markdown() -> None:
    assert chart_readme.table(VALUES).splitlines()[2:] == [
        "| `top.count` | `1` | How many there are; none is none. |",
        '| `top.inner.kind` | `{"a": "b"}` | A \\| B. |',
    ]


@pytest.mark.parametrize("chart", chart_readme.charts(), ids=lambda chart: chart.name)
def test_every_value_is_described(chart: Path) -> None:
    assert chart_readme.undescribed((chart / "values.yaml").read_text()) == ()


@pytest.mark.parametrize("chart", chart_readme.charts(), ids=lambda chart: chart.name)
def test_the_readme_has_the_table_of_the_values(chart: Path) -> None:
    assert (chart / "README.md").read_text() == chart_readme.written(chart), "python -m tests.consistency.chart_readme"
