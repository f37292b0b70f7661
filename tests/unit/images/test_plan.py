import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import InvalidInputError
from scheduler.images import plan
from scheduler.images.step import BuildStep


def _step(name: str, *after: str, chart: str = "chart") -> BuildStep:
    return BuildStep(name=name, chart=chart, containerfile="build/Containerfile", after=after)


def test_a_build_comes_behind_those_it_needs_and_otherwise_by_name() -> None:
    steps = [_step("a", "c"), _step("c", "d"), _step("b"), _step("d")]
    assert [step.name for step in plan.order(steps)] == ["b", "d", "c", "a"]


@given(st.permutations(range(8)), st.data())
def test_any_acyclic_declaration_is_ordered(ranks: list[int], data: st.DataObject) -> None:
    steps = [
        _step(
            f"s{i}", *data.draw(st.lists(st.sampled_from([f"s{j}" for j in range(8) if ranks[j] < rank]), unique=True))
        )
        if rank
        else _step(f"s{i}")
        for i, rank in enumerate(ranks)
    ]
    ordered = [step.name for step in plan.order(steps)]
    assert sorted(ordered) == [f"s{i}" for i in range(8)]
    assert all(ordered.index(name) < ordered.index(step.name) for step in steps for name in step.after)


def test_unknown_names_and_doubles_are_refused_at_once_with_what_there_is() -> None:
    with pytest.raises(InvalidInputError) as raised:
        plan.order([_step("flow", "runtim"), _step("runtime", chart="one"), _step("runtime", chart="two")])
    assert [str(problem) for problem in raised.value.problems] == [
        "/builds: image 'runtime' is built more than once (in one, two)",
        "chart/values.yaml /builds: 'flow' comes after 'runtim', which nothing builds (there are 'runtime', 'runtime')",
    ]


def test_each_circle_is_refused_with_its_way_round_and_nobody_who_only_waits_for_it() -> None:
    first = [_step("b", "c"), _step("c", "b")]
    between = [_step("a", "b"), _step("bridge", "b"), _step("free")]
    second = [_step("x", "z", "bridge"), _step("y", "x"), _step("z", "y"), _step("self", "self")]
    with pytest.raises(InvalidInputError) as raised:
        plan.order([*first, *between, *second])
    assert [str(problem) for problem in raised.value.problems] == [
        "/builds: builds wait for each other: b -> c -> b",
        "/builds: builds wait for each other: self -> self",
        "/builds: builds wait for each other: x -> z -> y -> x",
    ]


def test_a_circle_is_told_beside_unknown_names_and_doubles_even_through_a_double() -> None:
    with pytest.raises(InvalidInputError) as raised:
        plan.order([_step("a", "b", chart="one"), _step("a", chart="two"), _step("b", "a"), _step("c", "d")])
    assert [problem.message.split(" (")[0] for problem in raised.value.problems] == [
        "image 'a' is built more than once",
        "'c' comes after 'd', which nothing builds",
        "builds wait for each other: a -> b -> a",
    ]


def test_only_takes_what_is_wanted_and_what_that_needs() -> None:
    steps = plan.order([_step("a", "b"), _step("b", "c"), _step("c"), _step("d")])
    assert [step.name for step in plan.only(steps, ["a"])] == ["c", "b", "a"]
    assert plan.only(steps, []) == steps


def test_an_unknown_wanted_image_is_refused_with_what_there_is() -> None:
    with pytest.raises(InvalidInputError, match=r"no image is named 'x' \(there is 'a'\)"):
        plan.only(plan.order([_step("a")]), ["x"])
