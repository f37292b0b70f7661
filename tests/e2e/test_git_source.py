"""Jobs whose IR lies on the platform's git server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
import yaml

from scheduler.client.scheduling import SchedulingClient
from scheduler.demo.installation import ENVIRONMENT
from scheduler.devcluster.addresses import Addresses
from scheduler.errors import InvalidInputError
from scheduler.model.job import JobState, Reason
from tests.e2e import git_server, recipes
from tests.e2e.deployed import Deployed
from tests.e2e.git_server import Repository
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RECIPE: Final = Recipe(name="from-git")
PATH: Final = "team/scoring.git"
FOLDER: Final = "pipelines/from-git"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    repository: Repository
    first: str
    """The commit that tag `v1` names."""
    second: str
    """The commit that branch `main` is at: another description of the pipeline."""


def _ir(description: str) -> str:
    documents = RECIPE.documents()
    documents[0]["metadata"]["description"] = description
    return yaml.safe_dump_all(documents)


@pytest.fixture(scope="module")
def source(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """A repository on a git server that the platform knows as long as these tests last."""
    root = tmp_path_factory.mktemp("git")
    repository = git_server.repository(root, PATH)
    first = repository.commit({f"{FOLDER}/pipeline.yaml": _ir("the first"), "faulty/pipeline.yaml": "kind: Pipe\n"})
    repository.git("tag", "v1")
    second = repository.commit({f"{FOLDER}/pipeline.yaml": _ir("the second"), "README.md": "Not an IR.\n"})
    gateway = str(Addresses.from_environ(os.environ).gateway)
    with git_server.served(root, gateway) as url, deployed.changed(f"global.gitServer.url={url}"):
        yield Source(repository=repository, first=first, second=second)


def _order(ref: str, *, path: str = PATH, folder: str = FOLDER) -> dict[str, object]:
    return {"environment": ENVIRONMENT, "git": {"path": path, "ref": ref, "folder": folder}}


@pytest.fixture(scope="module")
def moved(source: Source, jobs: Jobs) -> tuple[Mapping[str, Any], Mapping[str, Any], bool]:
    """A job of branch `main`; then the branch moves, and the same order comes again; whether that made a new job."""
    jobs.upload(RECIPE.artifact, sha256=RECIPE.sha256)
    jobs.files.put(RECIPE.source, RECIPE.source_of(recipes.rows(3)))
    job, _ = jobs.client.start(_order("main"), key=source.second)
    source.repository.commit({f"{FOLDER}/pipeline.yaml": _ir("the third")})
    again, is_new = jobs.client.start(_order("main"), key=source.second)
    jobs.finish(job["id"])
    return job, again, is_new


def test_a_branch_is_resolved_to_the_commit_that_the_job_keeps(
    source: Source, moved: tuple[Mapping[str, Any], Mapping[str, Any], bool], jobs: Jobs
) -> None:
    job = jobs.client.job(moved[0]["id"])
    assert job["git"] == {"path": PATH, "ref": "main", "folder": FOLDER, "commit": source.second}
    jobs.assert_ended(job, state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
    assert [row["score"] for row in jobs.lines(RECIPE.sink)] == [1, 2, 3]


def test_the_same_order_is_the_same_job_though_the_branch_has_moved(
    moved: tuple[Mapping[str, Any], Mapping[str, Any], bool],
) -> None:
    job, again, is_new = moved
    assert (again["id"], again["git"], is_new) == (job["id"], job["git"], False)


def test_branches_tags_and_commits_are_refs(source: Source, client: SchedulingClient) -> None:
    refs = ("v1", "refs/tags/v1", source.first, source.second, "main")
    found = {ref: client.plan(_order(ref))["digests"]["ir"] for ref in refs}
    assert found["v1"] == found["refs/tags/v1"] == found[source.first] != found[source.second]
    assert found["main"] != found["v1"]


@pytest.mark.parametrize(
    ("order", "pointer", "words"),
    [
        (_order("absent"), "/git", f"repository '{PATH}' has no ref 'absent'"),
        (_order("0" * 40), "/git", f"repository '{PATH}' has no ref '{'0' * 40}'"),
        (_order("main", path="team/absent.git"), "/git", "the git server has no repository 'team/absent.git'"),
        (_order("main", folder="absent"), "/git", f"repository '{PATH}' has no folder 'absent'"),
        (_order("--upload-pack=/bin/true"), "/git/ref", "'--upload-pack=/bin/true' is not a branch, tag or commit"),
        (_order("main..v1"), "/git/ref", "'main..v1' is not a branch, tag or commit"),
        (_order("main", path="-u"), "/git/path", "'-u' is not names of letters"),
        (_order("main", path="../scoring.git"), "/git/path", "'../scoring.git' is not names of letters"),
        (_order("main", path="team/../scoring.git"), "/git/path", "'team/../scoring.git' is not names of letters"),
        (_order("main", path="http://192.0.2.1/x"), "/git/path", "is not names of letters"),
        (_order("main", folder="../.."), "/git/folder", "'../..' is not a path inside the repository"),
    ],
    ids=lambda value: None,
)
def test_what_is_no_place_of_an_ir_is_refused(
    source: Source, client: SchedulingClient, order: dict[str, object], pointer: str, words: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        client.start(order, key="")
    (problem,) = refused.value.problems
    assert problem.pointer == pointer
    assert words in problem.message


def test_faults_of_the_ir_are_told_with_file_and_line(source: Source, client: SchedulingClient) -> None:
    with pytest.raises(InvalidInputError) as refused:
        client.plan(_order("main", folder="faulty"))
    assert ("pipeline.yaml", 1) in {(problem.file, problem.line) for problem in refused.value.problems}
