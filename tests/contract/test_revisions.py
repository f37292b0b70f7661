"""What the revisions of pipelines promise, wherever they are kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.artifacts import revision_json
from scheduler.artifacts.objects import Objects
from scheduler.artifacts.revisions import Revision, Revisions
from scheduler.errors import NotFoundError
from scheduler.model import canonical
from scheduler.model.types import Document
from tests.contract.conftest import Place


@pytest.fixture
def revisions(objects: Objects) -> Revisions:
    return Revisions(objects)


def _add(revisions: Revisions, documents: list[Document], *, pipeline: str = "delay") -> tuple[Revision, bool]:
    return revisions.add(
        pipeline, documents, digest=canonical.digest(documents), created_at="2026-01-02T03:04:05Z", created_by="anna"
    )


def test_the_first_deployment_is_revision_one(revisions: Revisions) -> None:
    made, is_new = _add(revisions, [{"kind": "Model"}])
    assert (made.revision, is_new) == (1, True)
    assert revisions.get("delay") == made


def test_equal_content_makes_no_revision(revisions: Revisions) -> None:
    first, _ = _add(revisions, [{"kind": "Model"}])
    assert _add(revisions, [{"kind": "Model"}]) == (first, False)


def test_content_of_an_older_revision_becomes_the_latest_again(revisions: Revisions) -> None:
    for kind in ("a", "b", "a"):
        made, is_new = _add(revisions, [{"kind": kind}])
        assert is_new
    assert (made.revision, revisions.get("delay").documents) == (3, ({"kind": "a"},))


def test_numbers_are_compared_as_numbers(revisions: Revisions) -> None:
    for number in range(11):
        _add(revisions, [{"number": number}])
    assert revisions.get("delay").revision == 11
    assert [one.revision for one in revisions.all("delay")] == list(range(1, 12))


def test_pipelines_are_counted_apart_and_listed_with_their_latest(revisions: Revisions) -> None:
    _add(revisions, [{"kind": "a"}], pipeline="one")
    _add(revisions, [{"kind": "b"}], pipeline="one")
    _add(revisions, [{"kind": "a"}], pipeline="other")
    assert [(one.pipeline, one.revision) for one in revisions.latest()] == [("one", 2), ("other", 1)]


def test_what_is_not_there_is_told_with_what_is(revisions: Revisions) -> None:
    with pytest.raises(NotFoundError, match="no pipeline is named 'delay'"):
        revisions.get("delay")
    with pytest.raises(NotFoundError, match="no pipeline is named 'delay'"):
        revisions.all("delay")
    _add(revisions, [{"kind": "a"}])
    with pytest.raises(NotFoundError, match="has no revision 2"):
        revisions.get("delay", 2)


def test_deployments_at_once_get_a_number_each(place: Place) -> None:
    programs = [Revisions(place.opened()) for _ in range(4)]

    def deploy(number: int) -> int:
        return _add(programs[number % 4], [{"number": number}])[0].revision

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(deploy, range(24)))
    assert sorted(numbers) == list(range(1, 25))
    assert {one.documents[0]["number"] for one in programs[0].all("delay")} == set(range(24))


def test_equal_deployments_at_once_make_one_revision(place: Place) -> None:
    programs = [Revisions(place.opened()) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: _add(programs[number % 4], [{"kind": "a"}]), range(24)))
    assert {revision.revision for revision, _ in made} == {1}
    assert sum(is_new for _, is_new in made) == 1


def test_nothing_but_revisions_is_kept(place: Place) -> None:
    _add(Revisions(place.opened()), [{"kind": "a"}])
    assert place.everything() == ["pipelines/delay/1.json"]


def test_a_revision_travels_as_json_and_back(revisions: Revisions) -> None:
    made, _ = _add(revisions, [{"kind": "a"}])
    assert revision_json.from_json(revision_json.to_json(made, with_documents=True)) == made
    assert "documents" not in revision_json.to_json(made)
