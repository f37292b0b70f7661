"""Counting a source, apart from the engine."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scheduler.flow import source_count
from scheduler.flow.config import File
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Reason


@pytest.fixture(params=[1 << 20, 7], ids=["one block", "small blocks"], autouse=True)
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_count, "BLOCK", request.param)


def count(
    folder: Path, content: str | bytes, format_: str, *, is_gzip: bool = False, required: tuple[str, ...] = ()
) -> int:
    path = folder / "f"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return source_count.count(File(path=path, format=format_, is_gzip=is_gzip), required=required)


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("", 0),
        ("a,b", 0),
        ("a,b\n1,2\n3,4\n", 2),
        ("a,b\r\n1,2\r\n3,4", 2),
        ("\n\r\na\n\n\n1\n\n\r\n2\n\n\r", 2),
        ("\ufeffa\n1\n", 1),
        ("\ufeff\na\n1\n", 1),
        ('a,b\n1,"2\n\n3"\n4,5\n', 2),
        ('a,b\n1,"2""\n""3"\n4,5\n', 2),
        ('a,b\n1,2"3\n4,5\n', 2),
        ('a,b\n"1"x"\n4,5\n', 2),
        ('"a\nb",c\n1,2\n', 1),
        ("a\rb\n1\r2\n", 1),
        ('a\n""\n', 1),
        ("a\n" + "x" * 100 + "\n", 1),
    ],
)
def test_csv(tmp_path: Path, text: str, records: int) -> None:
    assert count(tmp_path, text, "csv") == records
    assert count(tmp_path, gzip.compress(text.encode()), "csv", is_gzip=True) == records


@pytest.mark.parametrize(
    ("text", "records"),
    [("", 0), ("\n", 0), ("{}", 1), ("{}\n\n{}\r\n\r\n[\n", 3), ("\ufeff{}\n", 1), ("{}\n\r", 1), ("\r", 0)],
)
def test_json_lines(tmp_path: Path, text: str, records: int) -> None:
    assert count(tmp_path, text, "json-lines") == records


@pytest.mark.parametrize(
    ("content", "is_gzip", "words"),
    [
        (b'a\n1\n"2\n3\n', False, "a quote is opened and never closed"),
        (b"a,b,a\n", False, "two columns are named 'a'"),
        (b"a,c\n", False, "there is no column 'b' (it has a, c)"),
        (b"", True, "it is empty, not a gzip file"),
        (b"a,b\n", True, "Not a gzipped file"),
        (gzip.compress(b"a,b\n" + bytes(range(32, 127)) * 99)[:-9], True, "end-of-stream"),
        (gzip.compress(b"a,b\n1,2\n")[:-8] + b"\0" * 8, True, "CRC check failed"),
    ],
)
def test_damage(tmp_path: Path, content: bytes, is_gzip: bool, words: str) -> None:
    with pytest.raises(FlowFailedError) as caught:
        count(tmp_path, content, "csv", is_gzip=is_gzip, required=("b",) if b'"' not in content else ())
    assert caught.value.reason is Reason.SOURCE_DAMAGED
    assert words in str(caught.value)


def test_a_record_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_count, "MAX_RECORD", 50)
    for text in ("a\n" + "x" * 200, 'a\n"' + "x\n" * 100 + '"\n'):
        with pytest.raises(FlowFailedError, match="a record of more than"):
            count(tmp_path, text, "csv")


@pytest.mark.parametrize("path", ["missing", "."])
def test_no_file(tmp_path: Path, path: str) -> None:
    with pytest.raises(FlowFailedError) as caught:
        source_count.count(File(path=tmp_path / path, format="csv"))
    assert caught.value.reason is Reason.SOURCE_MISSING


@pytest.mark.parametrize(
    ("text", "size", "records", "complete"),
    [
        ("", 0, 0, 0),
        ("a,b", 3, 0, 0),
        ("a,b\n1,2\n3,4", 8, 1, 8),
        ("a,b\n1,2\n3,4", 11, 1, 8),
        ("a,b\n1,2\n3,4\n", 12, 2, 12),
        ("a,b\n1,2\n3,4\n", 11, 1, 8),
        ('a,b\n1,"2\n3\n4', 12, 0, 4),
        ('a,b\n1,"2\n3"\n4,', 14, 1, 12),
        ("\ufeffa\n1\n", 7, 1, 7),
        ("\ufeff", 3, 0, 0),
    ],
)
def test_a_csv_file_that_grows(tmp_path: Path, text: str, size: int, records: int, complete: int) -> None:
    assert grown(tmp_path, text, "csv", size) == source_count.Grown(records=records, size=complete)


@pytest.mark.parametrize(
    ("size", "records", "complete"), [(0, 0, 0), (2, 0, 0), (3, 1, 3), (4, 1, 4), (6, 1, 4), (7, 2, 7), (9, 2, 7)]
)
def test_json_lines_that_grow(tmp_path: Path, size: int, records: int, complete: int) -> None:
    assert grown(tmp_path, "{}\n\n{}\n{x", "json-lines", size) == source_count.Grown(records=records, size=complete)


def test_a_file_that_grew_smaller(tmp_path: Path) -> None:
    with pytest.raises(FlowFailedError, match="it has 4 bytes; 5 have been read") as caught:
        grown(tmp_path, "{}\n\n", "json-lines", 5)
    assert caught.value.reason is Reason.SOURCE_DAMAGED


def grown(folder: Path, text: str, format_: str, size: int) -> source_count.Grown:
    path = folder / "f"
    path.write_text(text, encoding="utf-8", newline="")
    return source_count.count_grown(File(path=path, format=format_), size=size)
