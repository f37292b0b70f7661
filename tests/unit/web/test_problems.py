import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from scheduler import errors
from scheduler.model import problem_json
from scheduler.model.problem import Problem
from scheduler.web import problems

PROBLEM = Problem(
    message="unknown", pointer="/spec/model", file="a.yaml", line=3, document="Model/a", candidates=("b",)
)
CASES: list[tuple[errors.SchedulerError, int]] = [
    (errors.InvalidInputError([PROBLEM, Problem(message="also")]), 422),
    (errors.NotFoundError("no job"), 404),
    (errors.ConflictError("finished"), 409),
    (errors.UnauthenticatedError("who?"), 401),
    (errors.ForbiddenError("no"), 403),
    (errors.TooLargeError("less"), 413),
    (errors.DigestMismatchError("other bytes"), 422),
    (errors.UnavailableError("later", retry_after_seconds=7), 503),
    (errors.ProgramError("helm failed"), 500),
    (errors.SchedulerError("oh"), 500),
]


class Body(BaseModel):
    deadlines: dict[str, int]


def _client(error: Exception) -> TestClient:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def fail() -> None:
        raise error

    @app.post("/")
    def take(body: Body, limit: int = 1) -> None: ...

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(("error", "status"), CASES, ids=lambda case: type(case).__name__)
def test_each_error_has_its_status_and_comes_back_as_itself(error: errors.SchedulerError, status: int) -> None:
    answer = _client(error).get("/")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    back = problem_json.error_of(status, answer.json(), retry_after_seconds=int(answer.headers.get("retry-after", 5)))
    assert type(back) is type(error)
    assert str(back) == str(error)


def test_every_error_class_is_in_both_tables() -> None:
    classes = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert classes == set(problems.STATUS_OF) == set(problem_json.KIND_OF)


def test_all_problems_travel_with_their_places() -> None:
    body = _client(CASES[0][0]).get("/").json()
    assert body["detail"] == "2 problems"
    assert body["problems"] == [
        {
            "message": "unknown",
            "pointer": "/spec/model",
            "file": "a.yaml",
            "line": 3,
            "document": "Model/a",
            "candidates": ["b"],
        },
        {"message": "also"},
    ]


def test_an_unavailable_service_says_when_to_come_back() -> None:
    assert _client(errors.UnavailableError("x", retry_after_seconds=9)).get("/").headers["retry-after"] == "9"


def test_a_body_that_does_not_fit_is_told_by_json_pointer() -> None:
    answer = _client(errors.NotFoundError("x")).post("/?limit=x", json={"deadlines": {"run/a": "soon"}})
    assert answer.status_code == 422
    assert [problem["pointer"] for problem in answer.json()["problems"]] == ["query:limit", "/deadlines/run~1a"]


def test_a_bug_of_ours_tells_nothing_of_our_insides(caplog: pytest.LogCaptureFixture) -> None:
    answer = _client(RuntimeError("password in /etc/secret")).get("/")
    assert (answer.status_code, answer.json()["type"]) == (500, "about:blank")
    assert "secret" not in answer.text
    assert "password in /etc/secret" in caplog.text


def test_an_unknown_path_is_a_problem_too() -> None:
    answer = _client(errors.NotFoundError("x")).get("/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("status", "class_"),
    [(502, errors.UnavailableError), (404, errors.NotFoundError), (418, errors.SchedulerError)],
)
def test_answers_that_are_not_ours_still_mean_something(status: int, class_: type[Exception]) -> None:
    assert type(problem_json.error_of(status, {})) is class_
