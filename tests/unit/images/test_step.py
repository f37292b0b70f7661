import pytest

from scheduler.errors import InvalidInputError
from scheduler.images import step


def test_a_declared_build_becomes_a_step() -> None:
    build = {
        "name": "streaming-runtime",
        "containerfile": "build/Containerfile",
        "context": ["scheduler"],
        "programs": ["helm"],
        "bootstrap": True,
        "args": {"LEVEL": 3},
        "after": ["shell"],
    }
    assert step.load("streaming-runtime", {"builds": [build]}) == (
        step.BuildStep(
            name="streaming-runtime",
            chart="streaming-runtime",
            containerfile="build/Containerfile",
            context=("scheduler",),
            programs=("helm",),
            bootstrap=True,
            args={"LEVEL": "3"},
            after=("shell",),
        ),
    )


def test_a_chart_without_builds_has_none() -> None:
    assert step.load("data-channel", {"channels": []}) == ()


def test_every_fault_of_every_build_is_reported_with_its_place() -> None:
    builds = [
        {"name": "Not A Name", "containerfile": "../outside", "contexts": []},
        {
            "name": "a",
            "containerfile": "build/Containerfile",
            "context": ["/etc", "../x"],
            "programs": ["helm", "../helm", 3],
            "bootstrap": "yes",
        },
        "text",
    ]
    with pytest.raises(InvalidInputError) as raised:
        step.load("some-chart", {"builds": [*builds, {"name": "b", "containerfile": "x", "args": ["A=1"]}]})
    assert [problem.pointer for problem in raised.value.problems] == [
        "/builds/0/contexts",
        "/builds/0/name",
        "/builds/0/containerfile",
        "/builds/1/bootstrap",
        "/builds/1/context/0",
        "/builds/1/context/1",
        "/builds/1/programs/1",
        "/builds/1/programs/2",
        "/builds/2",
        "/builds/3/args",
    ]
    assert {problem.document for problem in raised.value.problems} == {"some-chart/values.yaml"}


def test_builds_that_are_no_list_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="must be a list of builds"):
        step.load("some-chart", {"builds": {"name": "a"}})


def test_a_build_has_a_containerfile_or_a_task() -> None:
    builds = [
        {"name": "a", "task": "compile-a", "after": ["b"]},
        {"name": "b", "task": "compile-b", "containerfile": "build/Containerfile"},
        {"name": "c", "task": "../c"},
        {"name": "d"},
        {"name": "e", "task": "../e", "programs": ["helm"]},
    ]
    assert step.load("some-chart", {"builds": builds[:1]})[0].task == "compile-a"
    with pytest.raises(InvalidInputError) as raised:
        step.load("some-chart", {"builds": builds})
    assert [problem.pointer for problem in raised.value.problems] == [
        "/builds/1/task",
        "/builds/2/task",
        "/builds/3/containerfile",
        "/builds/4/task",
        "/builds/4/programs",
    ]


@pytest.mark.parametrize(("empty", "way"), [("containerfile", "task"), ("task", "containerfile")])
def test_what_is_empty_is_not_there(empty: str, way: str) -> None:
    (made,) = step.load("some-chart", {"builds": [{"name": "a", empty: "", way: "a"}]})
    assert (made.containerfile, made.task) == (("", "a") if way == "task" else ("a", ""))


@pytest.mark.parametrize("path", ["scheduler", "a/b.c/", ".config/x", "..data/x", "a/...", "build/Containerfile"])
def test_a_path_below_a_folder_is_taken(path: str) -> None:
    assert step.load("some-chart", {"builds": [{"name": "a", "containerfile": path, "context": [path]}]})


@pytest.mark.parametrize("path", ["/etc", "../x", "a/../b", "a/..", "..", ".", "./a", "", "/", "a//b"])
def test_a_path_out_of_a_folder_is_refused(path: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        step.load("some-chart", {"builds": [{"name": "a", "containerfile": path, "context": [path]}]})
    assert len(raised.value.problems) == 2


def test_a_step_is_read_from_what_a_task_is_given() -> None:
    text = '{"chart": "some-chart", "name": "a", "containerfile": "build/Containerfile", "args": {"A": "1"}}'
    assert step.parse(text) == step.BuildStep(
        name="a", chart="some-chart", containerfile="build/Containerfile", args={"A": "1"}
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "a", "containerfile": "x"}', '{"chart": "c", "name": "a"}'])
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        step.parse(text)
