"""What costs too much is refused, and refusing it costs little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scheduler.errors import InvalidInputError, TooLargeError
from scheduler.ir import limits, load, read

MEBIBYTES = 64
SECONDS = 1
"""Of processor time, in the best of `TRIES`: where two share a core, both take longer than they would alone."""
TRIES = 3


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, Any]]:
    found = _measured()
    for _ in range(TRIES - 1):
        late = [name for name, each in found.items() if each["seconds"] > SECONDS]
        again = _measured(*late) if late else {}
        found |= {name: each for name, each in again.items() if each["seconds"] < found[name]["seconds"]}
    return found


def _measured(*names: str) -> dict[str, dict[str, Any]]:
    program = [sys.executable, str(Path(__file__).with_name("attacks.py")), *names]
    run = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {line["name"]: line for line in lines}


def test_every_attack_is_refused_with_little_memory_and_soon(outcomes: dict[str, dict[str, Any]]) -> None:
    slowest = max(outcomes.values(), key=lambda each: each["seconds"])
    largest = max(outcomes.values(), key=lambda each: each["mebibytes"])
    print(f"\n{len(outcomes)} attacks; slowest {slowest}; largest {largest}")

    expensive = [
        each
        for each in outcomes.values()
        if each["outcome"] == "accepted" or each["mebibytes"] > MEBIBYTES or each["seconds"] > SECONDS
    ]

    assert len(outcomes) > 40
    assert expensive == []


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("[" + "1," * (limits.NODES - 1) + "1]", "a.yaml"),
        ("a: &a [" + "1," * 99 + "1]\nb: [" + "*a," * 99 + "*a]", "a.yaml"),
        ("".join(f"k{number}: 1\n" for number in range(limits.NODES)), "a.yaml"),
        ('{"a": [' + "1," * (limits.NODES - 2) + "1]}", "a.json"),
    ],
)
def test_one_value_too_many_is_too_large(text: str, file: str) -> None:
    with pytest.raises(TooLargeError, match="more than 10,000 values in one document"):
        read.parse(text, file=file)


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_as_many_values_as_allowed_are_read(file: str) -> None:
    text = '{"a": [' + "1," * (limits.NODES - 3) + "1]}"

    (sourced,) = read.parse(text, file=file)

    assert len(sourced.document["a"]) == limits.NODES - 2


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_depth_is_counted_to_the_last_level(file: str) -> None:
    def nested(depth: int) -> str:
        return '{"a":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"

    assert len(read.parse(nested(limits.DEPTH), file=file)) == 1
    with pytest.raises(TooLargeError, match="more than 64 mappings and lists inside each other"):
        read.parse(nested(limits.DEPTH + 1), file=file)


def test_an_alias_counts_with_all_its_depth() -> None:
    lists = "[" * 40 + "]" * 40

    with pytest.raises(TooLargeError, match="inside each other"):
        read.parse(f"a: &a {lists}\nb: {'[' * 30}*a{']' * 30}")


def test_all_documents_share_one_budget() -> None:
    document = "kind: [" + "1," * 9_000 + "1]"

    with pytest.raises(TooLargeError, match="more than 100,000 values in all documents together"):
        load.from_text("\n---\n".join([document] * 12))


def test_documents_are_counted() -> None:
    with pytest.raises(TooLargeError, match="more than 5,000 documents"):
        load.from_text("---\n{}\n" * 5_001)


def test_all_files_of_a_folder_share_one_limit_of_text(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.yaml").write_text("#" * (limits.BYTES // 2))

    with pytest.raises(TooLargeError, match=r"2\.yaml: more than 4 MiB of text in all files together"):
        load.from_folder(tmp_path)


@pytest.mark.parametrize(
    "value",
    [
        [1] * limits.NODES,
        {f"k{number}": 1 for number in range(limits.NODES)},
        {"k" * 300: 1},
        ["x" * (limits.BYTES // 2)] * 3,
    ],
)
def test_documents_of_others_are_held_to_the_same_limits(value: object) -> None:
    with pytest.raises(TooLargeError):
        load.from_documents([{"kind": "Model", "spec": value}])


def test_a_value_that_contains_itself_is_too_deep() -> None:
    round_and_round: list[object] = []
    round_and_round.append(round_and_round)

    with pytest.raises(TooLargeError, match="inside each other"):
        load.from_documents([{"kind": "Model", "spec": round_and_round}])


def test_the_list_of_problems_ends_somewhere() -> None:
    keys = "".join(f"  k{number}: 1\n" for number in range(3_000))

    with pytest.raises(InvalidInputError) as refused:
        load.from_text(f"kind: Model\nmetadata: {{name: x}}\nspec:\n{keys}")

    assert len(refused.value.problems) == limits.PROBLEMS + 1
    assert refused.value.problems[-1].message == "there are more problems; the first 1,000 are listed"
