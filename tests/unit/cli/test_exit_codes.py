import pytest

from scheduler import errors
from scheduler.cli import exit_codes
from scheduler.inspection.findings import Area
from scheduler.model.job import JobState


def test_every_error_class_has_a_code_and_every_code_a_meaning() -> None:
    classes = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert classes == set(exit_codes.OF_ERROR)
    named = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert {*named, *exit_codes.OF_ERROR.values(), *exit_codes.OF_STATE.values()} == set(exit_codes.MEANING)


def test_kinds_of_errors_can_be_told_apart() -> None:
    codes = list(exit_codes.OF_ERROR.values())
    assert len(codes) == len(set(codes))
    assert exit_codes.USAGE not in codes


def test_a_class_below_one_in_the_table_has_its_code() -> None:
    class OurOwnError(errors.ConflictError): ...

    assert exit_codes.of(OurOwnError("x")) == exit_codes.OF_ERROR[errors.ConflictError]


def test_every_finished_state_has_a_code() -> None:
    assert set(exit_codes.OF_STATE) == {state for state in JobState if state.is_finished}


def test_a_job_that_left_something_is_no_success() -> None:
    assert exit_codes.of_job("SUCCEEDED", "CLEAN") == 0
    assert exit_codes.of_job("SUCCEEDED", "LEAKED") == exit_codes.LEAKED
    assert exit_codes.of_job("FAILED", "LEAKED") == 20
    assert exit_codes.of_job("SOMETHING_NEW", "CLEAN") == exit_codes.FAILED


@pytest.mark.parametrize(
    ("areas", "code"),
    [
        (set(), 0),
        ({Area.RIGHTS}, 7),
        ({Area.REGISTRY}, 8),
        ({Area.REGISTRY, Area.RIGHTS}, 8),
        ({Area.TEKTON, Area.REGISTRY, Area.RIGHTS}, exit_codes.LACKING),
        ({Area.STORAGE}, exit_codes.LACKING),
    ],
)
def test_what_a_cluster_lacks_decides_the_code(areas: set[Area], code: int) -> None:
    assert exit_codes.of_lacking(areas) == code
