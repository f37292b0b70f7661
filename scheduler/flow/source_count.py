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
from contextlib import closing
from typing import BinaryIO, Final

from scheduler.flow.config import File
from scheduler.flow.failure import FlowFailedError
from scheduler.model.job import Reason

MAX_RECORD: Final = 16 << 20
BLOCK: Final = 1 << 20
_MARK: Final = b"\xef\xbb\xbf"
_BLANK: Final = re.compile(rb"^\r?\n", re.MULTILINE)


class _DamagedError(Exception):
    """Why the file cannot be read to its end."""


def count(file: File, *, required: Sequence[str] = ()) -> int:
    """Records of `file`, which is read to its end: gzip to its trailer, quotes until they are closed.

    Raises FlowFailedError: SourceMissing when it cannot be opened, SourceDamaged when it cannot be read to its end, or
    when its CSV header lacks a `required` column or has one twice. A file without a byte has no records.
    """
    try:
        with closing(_open(file)) as stream:
            if file.format == "json-lines":
                return sum(_lines_in(block) for block in _blocks(stream))
            return _CsvCount(required).over(stream)
    except (EOFError, zlib.error, gzip.BadGzipFile, _DamagedError) as error:
        raise FlowFailedError(Reason.SOURCE_DAMAGED, f"{file.path}: {error}") from error
    except OSError as error:
        raise FlowFailedError(Reason.SOURCE_MISSING, f"{file.path}: {error.strerror or error}") from error


def _open(file: File) -> BinaryIO | gzip.GzipFile:
    if not file.path.is_file() and file.path.exists():
        raise OSError("is not a regular file")
    if not file.is_gzip:
        return file.path.open("rb")
    if file.path.stat().st_size == 0:
        raise _DamagedError("it is empty, not a gzip file")
    return gzip.GzipFile(file.path)


def _blocks(stream: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
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
        self._records = 0
        self._open = b""
        """The record whose quote is open, as far as it has been read."""

    def over(self, stream: BinaryIO | gzip.GzipFile) -> int:
        for block in _blocks(stream):
            if self._records and not self._open and b'"' not in block:
                self._records += _lines_in(block)
            else:
                self._take(block)
        if self._open:
            raise _DamagedError("a quote is opened and never closed")
        return max(0, self._records - 1)

    def _take(self, block: bytes) -> None:
        for line in io.BytesIO(block):
            if not self._open and not _without_end(line):
                continue
            if _ends_quoted(line, quoted=bool(self._open)):
                self._open += line
                if len(self._open) > MAX_RECORD:
                    raise _DamagedError(f"a record of more than {MAX_RECORD >> 20} MiB")
                continue
            if self._records == 0:
                _check_header(_without_end(self._open + line), self._required)
            self._records += 1
            self._open = b""


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
