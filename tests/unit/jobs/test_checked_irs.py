"""IRs that are not checked twice."""

from __future__ import annotations

import copy
import json

import pytest

from scheduler.errors import InvalidInputError
from scheduler.ir import load
from scheduler.jobs import checked_irs
from scheduler.jobs.checked_irs import CheckedIrs
from scheduler.model import canonical
from scheduler.model.types import Document
from tests.unit import world

DOCUMENTS = list(world.DOCUMENTS)
TYPES = ("pmml", "python-binary", "python-script")


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each IR that was really checked: the number of its documents."""
    seen: list[int] = []
    real = load.from_documents

    def from_documents(documents: list[Document], *, model_types: tuple[str, ...] = TYPES) -> load.Loaded:
        seen.append(len(documents))
        return real(documents, model_types=model_types)

    monkeypatch.setattr("scheduler.jobs.checked_irs.load.from_documents", from_documents)
    return seen


def changed(text: str) -> list[Document]:
    """The same documents, the pipeline's description another."""
    made = copy.deepcopy(DOCUMENTS)
    pipeline = next(document for document in made if document["kind"] == "ScoringPipeline")
    pipeline["metadata"]["description"] = text
    return made


def test_equal_documents_are_checked_once(checks: list[int]) -> None:
    irs = CheckedIrs()

    first = irs.load(DOCUMENTS, model_types=TYPES)
    again = irs.load(json.loads(json.dumps(DOCUMENTS)), model_types=TYPES)

    assert again is first
    assert len(checks) == 1
    assert first == load.from_documents(DOCUMENTS)


def test_other_model_types_are_another_question(checks: list[int]) -> None:
    irs = CheckedIrs()
    irs.load(DOCUMENTS, model_types=TYPES)

    with pytest.raises(InvalidInputError, match="no scoring server supports"):
        irs.load(DOCUMENTS, model_types=("linear-csv",))


def test_what_differs_is_checked_again(checks: list[int]) -> None:
    irs = CheckedIrs()

    found = {
        irs.load(documents, model_types=TYPES).digest for documents in (DOCUMENTS, changed("one"), DOCUMENTS[::-1])
    }

    assert len(checks) == 3
    assert len(found) == 2, "the order of documents is no difference in the end"


def test_a_fault_is_told_every_time(checks: list[int]) -> None:
    irs, faulty = CheckedIrs(), [document for document in DOCUMENTS if document["kind"] != "Model"]

    for _ in range(2):
        with pytest.raises(InvalidInputError):
            irs.load(faulty, model_types=TYPES)

    assert len(checks) == 2


def test_what_is_kept_has_its_limits(checks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked_irs, "KEPT", 2)
    monkeypatch.setattr(checked_irs, "LONGEST", len(canonical.json_bytes(DOCUMENTS)) + 500)
    irs, long = CheckedIrs(), changed("x" * 1000)
    for documents in (long, long, changed("1"), changed("2"), changed("3"), changed("3"), changed("1")):
        irs.load(documents, model_types=TYPES)

    assert len(checks) == 6, "the long one twice, and the one that gave way to others"
