"""Texts of chance for the IR loader and the expressions: their own errors come out, or a value."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.conformance import fuzzing

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(400)]

SECONDS: Final = 15
SEED: Final = 20261121


def test_any_text_is_an_ir_or_has_problems(tmp_path: Path) -> None:
    corpus = fuzzing.ir_corpus(tmp_path / "corpus")
    assert len(list(corpus.iterdir())) > 60
    (tmp_path / "run").mkdir()
    assert fuzzing.fuzz("ir_text", corpus=corpus, seed=SEED, seconds=SECONDS, folder=tmp_path / "run") > 100


def test_any_expression_stays_in_its_scope(tmp_path: Path) -> None:
    corpus = fuzzing.expression_corpus(tmp_path / "corpus")
    (tmp_path / "run").mkdir()
    assert fuzzing.fuzz("expression", corpus=corpus, seed=SEED, seconds=SECONDS, folder=tmp_path / "run") > 100
