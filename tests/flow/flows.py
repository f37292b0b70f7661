"""Random flows with random sources, for Hypothesis."""

from __future__ import annotations

import gzip
import json
import random
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from tests.flow import plain
from tests.flow.plain import Row, Step

COLUMNS: Final = ("id", "x", "name")
_NAMES = st.text(alphabet=string.ascii_letters + "äß漢😀 ,\"'\\;|#{}$\n\r\t\u2028", min_size=1, max_size=8)
_IDS = st.one_of(st.integers(-20, 20), st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1]))
_XS = st.one_of(
    st.just(plain.POISON),
    st.just(plain.POISON / 2),
    st.integers(-5, 5).map(float),
    st.floats(-1e200, 1e200, allow_nan=False),
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A flow, its source, and how its files are written."""

    steps: tuple[Step, ...]
    rows: tuple[tuple[int, Row], ...]
    """(line, row) in the order of the source."""
    content: bytes
    source: dict[str, str]
    sink: dict[str, str]
    dead_letters: dict[str, str] | None
    max_ratio: float
    batch: int
    names_rows: bool
    outages: tuple[int, ...]

    @property
    def allowed(self) -> float | None:
        return None if self.dead_letters is None else self.max_ratio


@st.composite
def cases(draw: st.DrawFn) -> Case:
    format_ = draw(st.sampled_from(["csv", "json-lines"]))
    header = draw(st.permutations([*COLUMNS, *draw(st.sampled_from([[], ["extra"]]))]))
    row = csv_rows(header) if format_ == "csv" else json_rows()
    pool = [*draw(st.lists(row, min_size=6, max_size=14)), None]
    chance = random.Random(draw(st.integers(0, 2**32)))  # a draw for each row would exhaust Hypothesis
    rows = [chance.choice(pool) for _ in range(draw(st.sampled_from([0, 1, 2, 20, 50, 50, 300, 700])))]
    content, numbered = _written(
        rows,
        header=_line(header).encode() if format_ == "csv" else None,
        end=draw(st.sampled_from([b"\n", b"\n", b"\r\n"])),
        mark=draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"])),
        is_ended=draw(st.booleans()),
    )
    source = _file(draw, "in", format_)
    dead = _file(draw, "dead", draw(st.sampled_from(["json-lines", "json-lines", "csv"])))
    return Case(
        steps=draw(flows()),
        rows=numbered,
        content=gzip.compress(content) if source["compression"] == "gzip" else content,
        source=source,
        sink=_file(draw, "out", draw(st.sampled_from(["csv", "json-lines"]))),
        dead_letters=draw(st.sampled_from([dead, dead, dead, None])),
        max_ratio=draw(st.sampled_from([1.0, 1.0, 1.0, 0.5, 0.0])),
        batch=draw(st.sampled_from([1, 7, 256])),
        names_rows=draw(st.booleans()),
        outages=tuple(draw(st.lists(st.sampled_from([503, 429, 500]), max_size=1))),
    )


@st.composite
def flows(draw: st.DrawFn) -> tuple[Step, ...]:
    maps = [("map", text, apply) for text, apply in plain.MAPS.items()]
    filters = [("filter", text, apply) for text, apply in plain.FILTERS.items()]
    known = [
        step for step in (*maps, *filters) if "never" not in step[1] and step[1] not in {"false", "deleted()", "this.x"}
    ]
    score = ("score", "", lambda record: record)
    most = st.sampled_from([*known, *[score] * 6])
    chosen = draw(st.lists(most, min_size=1, max_size=5))
    if draw(st.integers(0, 9)) == 0:  # a step that lets nothing pass
        chosen.append(draw(st.sampled_from([step for step in (*maps, *filters) if step not in known])))
    if draw(st.integers(0, 5)) == 0:
        chosen.append(draw(st.sampled_from([("map", text, apply) for text, apply in plain.LAST_MAPS.items()])))
    policies = st.sampled_from([*["dead-letter"] * 5, *["drop"] * 4, "fail"])
    return tuple(
        Step(name=f"s{number}", kind=kind, text=text, apply=apply, on_error=draw(policies))
        for number, (kind, text, apply) in enumerate(chosen)
    )


@st.composite
def csv_rows(draw: st.DrawFn, header: Sequence[str]) -> Row:
    id_, x, name = draw(_IDS), draw(st.none() | _XS), draw(st.none() | _NAMES)
    cells = {"id": str(id_), "x": "" if x is None else repr(x), "name": name or "", "extra": "e"}
    record = {"id": id_, "x": x, "name": name}
    spoil, words = draw(st.sampled_from(_SPOILT_CSV))
    if spoil in COLUMNS:
        cells[spoil] = {"id": "", "x": draw(st.sampled_from(["NaN", "0x1p3", "1,5", "ten"])), "name": "\udcff"}[spoil]
    listed = [cells[column] for column in header]
    original: Any = {
        column: cells[column].encode(errors="surrogateescape").decode(errors="replace") for column in header
    }
    raw = _line(listed)
    if spoil in {"long", "short", "quote", "behind"}:
        raw = {
            "long": _line([*listed, "more"]),
            "short": "lonely",
            "quote": _line(listed) + 'b"c' if not raw.endswith('"') else 'a,b"c',
            "behind": '"a"b,c',
        }[spoil]
        original = raw
    return Row(
        raw=raw.encode(errors="surrogateescape"), record=None if words else record, original=original, fault=words
    )


_SPOILT_CSV: Final = (
    *[("", "")] * 9,
    ("id", "id: is empty, but an int64 and not nullable"),
    ("x", "x: "),
    ("name", "is not UTF-8 text"),
    ("long", "fields, the header has"),
    ("short", "the row has 1 fields, the header has"),
    ("quote", "a quote inside a field that does not begin with one"),
    ("behind", "text after a field's closing quote"),
)


@st.composite
def json_rows(draw: st.DrawFn) -> Row:
    record: dict[str, Any] = {"id": draw(_IDS)}
    if draw(st.booleans()):
        record["x"] = draw(st.none() | _XS)
    if draw(st.booleans()):
        record["name"] = draw(st.none() | _NAMES | st.just(""))
    given = {**record, **draw(st.sampled_from([{}, {"unknown": [1, {"a": None}]}]))}
    spoil, words = draw(st.sampled_from(_SPOILT_JSON))
    if isinstance(spoil, dict):
        given = {key: value for key, value in {**given, **spoil}.items() if value != "gone"}
        raw = json.dumps(given)
    else:
        raw = spoil or json.dumps(given, ensure_ascii=draw(st.booleans()))
    try:
        original = json.loads(raw)
    except ValueError:
        original = raw
    return Row(raw=raw.encode(), record=None if words else record, original=original, fault=words)


_SPOILT_JSON: Final[tuple[tuple[Any, str], ...]] = (
    *[("", "")] * 9,
    ('{"id": 2', "not JSON: "),
    ("[3]", "not a JSON object"),
    ('{"id": 2} {"id": 3}', "not JSON: text after the JSON value"),
    ({"id": "gone"}, "id is missing"),
    ({"id": 1.5}, 'id: "1.5" is not an int64'),
    ({"id": "5"}, 'id: "5" is not an int64'),
    ({"id": None}, "id: is null, but an int64 and not nullable"),
    ({"x": True}, 'x: "true" is not a double'),
    ({"name": 7}, 'name: "7" is not a string'),
)


def _line(cells: Sequence[str]) -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if any(char in cell for char in ',"\r\n') else cell

    return ",".join(map(quoted, cells))


def _file(draw: st.DrawFn, name: str, format_: str) -> dict[str, str]:
    zipped = draw(st.integers(0, 3)) == 0
    path = f"{name}.{'csv' if format_ == 'csv' else 'jsonl'}{'.gz' if zipped else ''}"
    return {"path": path, "format": format_, "compression": "gzip" if zipped else "none"}


def _written(
    rows: Sequence[Row | None], *, header: bytes | None, end: bytes, mark: bytes, is_ended: bool
) -> tuple[bytes, tuple[tuple[int, Row], ...]]:
    """The source's text, and the line of each row; None is a blank line."""
    pieces = [] if header is None else [header]
    numbered: list[tuple[int, Row]] = []
    line = 1 + len(pieces)
    for row in rows:
        if row is not None:
            numbered.append((line, row))
        pieces.append(b"" if row is None else row.raw)
        line += 1 + pieces[-1].count(b"\n")
    return mark + end.join(pieces) + (end if is_ended and pieces else b""), tuple(numbered)
