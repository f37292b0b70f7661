"""The record of proofs: what is written can be read, and one line never disturbs another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prove import record


def test_a_proof_replaces_its_own_line_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "docs" / "proofs.md"
    record.write("kills | of submit", "0 lost\nof 3", seeds=[1, 2], file=file)
    record.write("another", "fine", file=file)
    record.write("kills | of submit", "0 lost of 3,000", seeds=[7], file=file)

    another, kills = record.parse(file.read_text())

    assert (another.proof, another.figure, another.seeds) == ("another", "fine", "none")
    assert (kills.proof, kills.figure, kills.seeds) == (r"kills \| of submit", "0 lost of 3,000", "7")
    assert record.text([kills, another]) == file.read_text()


def test_a_line_with_other_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="unpack"):
        record.parse("| a | b |\n| --- | --- |\n| c | d |\n")


def test_the_document_is_as_the_record_prints_it() -> None:
    document = record.FILE.read_text()
    assert record.text(record.parse(document)) == document


def test_the_machine_is_told_without_its_name() -> None:
    assert "CPUs" in record.machine()
    assert Path("/etc/hostname").read_text().strip() not in record.machine()
