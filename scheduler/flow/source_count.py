"""Counts the records of a file, apart from the engine and in exactly its reading (bento/csv.go, bento/lines.go).

A line ends with LF or CR LF; the last one may lack its end. Blank lines are no records. In CSV a quote counts only
where a field begins with one, and a record goes on behind a line end inside of quotes. The first record is the header.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from scheduler.flow.config import File
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Reason

MAX_RECORD: Final = 16 << 20
BLOCK: Final = 1 << 20
_MARK: Final = b"\xef\xbb\xbf"
_BLANK: Final = re.compile(rb"^\r?\n", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """What there is in a file that may grow on."""

    records: int
    size: int
    """Bytes up to the end of the last record that is complete."""


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


class _DamagedError(Exception):
    """Why the file cannot be read to its end."""


def count(file: File, *, required: Sequence[str] = ()) -> int:
    """Records of `file`, which is read to its end: gzip to its trailer, quotes until they are closed.

    Raises FlowFailedError: SourceMissing when it cannot be opened, SourceDamaged when it cannot be read to its end, or
    when its CSV header lacks a `required` column or has one twice. A file without a byte has no records.
    """
    with _reported(file), closing(_open(file)) as stream:
        if file.format == "json-lines":
            return sum(_lines_in(block) for block in _blocks(stream))
        counted = _CsvCount(required)
        counted.take(stream)
        if counted.begun:
            raise _DamagedError("a quote is opened and never closed")
        return counted.records


def count_grown(file: File, *, size: int, required: Sequence[str] = ()) -> Grown:
    """The records in the first `size` bytes of a file that is followed: one whose line has not ended is none.

    Raises FlowFailedError as `count` does, and SourceDamaged when the file does not have so many bytes.
    """
    with _reported(file), closing(file.path.open("rb")) as stream:
        end = _line_end(stream, size)
        stream.seek(0)
        beginning = _Beginning(stream, end)
        if file.format == "json-lines":
            return Grown(records=sum(_lines_in(block) for block in _blocks(beginning)), size=end)
        counted = _CsvCount(required)
        counted.take(beginning)
        return Grown(records=counted.records, size=end - len(counted.begun))


@contextmanager
def _reported(file: File) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, _DamagedError) as error:
        raise FlowFailedError(Reason.SOURCE_DAMAGED, f"{file.path}: {error}") from error
    except OSError as error:
        raise FlowFailedError(Reason.SOURCE_MISSING, f"{file.path}: {error.strerror or error}") from error


def _line_end(stream: BinaryIO, size: int) -> int:
    """Behind the last line that ends within the first `size` bytes; 0 without one."""
    there = stream.seek(0, io.SEEK_END)
    if there < size:
        raise _DamagedError(f"it has {there} bytes; {size} have been read")
    while size > 0:
        start = max(0, size - BLOCK)
        stream.seek(start)
        found = stream.read(size - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


class _Beginning:
    """The first bytes of a stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, count: int, /) -> bytes:
        part = self._stream.read(min(count, self._left))
        self._left -= len(part)
        return part


def _open(file: File) -> BinaryIO | gzip.GzipFile:
    if not file.path.is_file() and file.path.exists():
        raise OSError("is not a regular file")
    if not file.is_gzip:
        return file.path.open("rb")
    if file.path.stat().st_size == 0:
        raise _DamagedError("it is empty, not a gzip file")
    return gzip.GzipFile(file.path)


def _blocks(stream: _Readable) -> Iterator[bytes]:
    """The stream in blocks that end with a line, without its byte order mark."""
    rest = b""
    first = True
    while part := stream.read(BLOCK):
        block = rest + part
        if first and len(block) < len(_MARK):
            rest = block
            continue
        if first:
            block, first = block.removeprefix(_MARK), False
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if len(rest) > MAX_RECORD:
            raise _DamagedError(f"a record of more than {MAX_RECORD >> 20} MiB")
        if end:
            yield block[:end]
    if rest := (rest.removeprefix(_MARK) if first else rest):
        yield rest


def _lines_in(block: bytes) -> int:
    """Lines that are not blank."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if block.startswith((b"\n", b"\r\n")) or b"\n\n" in block or b"\n\r\n" in block or block.endswith(b"\r"):
        lines -= sum(1 for _ in _BLANK.finditer(block))
        lines -= block == b"\r" or block.endswith(b"\n\r")
    return lines


class _CsvCount:
    """Counts over blocks; between two lines it knows whether a quote is open."""

    def __init__(self, required: Sequence[str]) -> None:
        self._required = required
        self._found = 0
        self.begun = b""
        """The record whose quote is open, as far as it has been read."""

    @property
    def records(self) -> int:
        """Without the header."""
        return max(0, self._found - 1)

    def take(self, stream: _Readable) -> None:
        for block in _blocks(stream):
            if self._found and not self.begun and b'"' not in block:
                self._found += _lines_in(block)
            else:
                self._take(block)

    def _take(self, block: bytes) -> None:
        for line in io.BytesIO(block):
            if not self.begun and not _without_end(line):
                continue
            if _ends_quoted(line, quoted=bool(self.begun)):
                self.begun += line
                if len(self.begun) > MAX_RECORD:
                    raise _DamagedError(f"a record of more than {MAX_RECORD >> 20} MiB")
                continue
            if self._found == 0:
                _check_header(_without_end(self.begun + line), self._required)
            self._found += 1
            self.begun = b""


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _ends_quoted(line: bytes, *, quoted: bool) -> bool:
    """Whether a quote is open behind the line."""
    at = 0
    while True:
        if quoted:
            at = line.find(b'"', at) + 1
            if at == 0:
                return True
            if line[at : at + 1] == b'"':
                at += 1
                continue
            quoted = False
        elif line[at : at + 1] == b'"':
            quoted = True
            at += 1
            continue
        at = line.find(b",", at) + 1
        if at == 0:
            return False


def _check_header(text: bytes, required: Sequence[str]) -> None:
    try:
        header = next(csv.reader(io.StringIO(text.decode(errors="replace"), newline=""), strict=True))
    except csv.Error as error:
        raise _DamagedError(f"header: {error}") from error
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise _DamagedError(f"header: two columns are named '{twice[0]}'")
    for name in required:
        if name not in header:
            raise _DamagedError(f"header: there is no column '{name}' (it has {', '.join(header)})")
