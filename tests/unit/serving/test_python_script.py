"""Scripts: the one function, found by its annotations, and what it gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scheduler.model.tensors import Tensor
from scheduler.serving.columns import Column
from scheduler.serving.faults import ModelRefusedError, RequestRefusedError
from scheduler.serving.runners import python_script
from scheduler.serving.signature import Signature

SIGNATURE = Signature(
    inputs=(Tensor(name="a", datatype="FP64"), Tensor(name="b", datatype="FP64")),
    outputs=(Tensor(name="total", datatype="FP64"),),
)
BODY = "\n    return x.sum(axis=1).reshape(-1, 1), ['total']\n"
SPELLINGS = {
    "plain": "import numpy as np\nfrom collections.abc import Iterable\n"
    "def f(x: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:",
    "typing": "import numpy\nfrom typing import Iterable, Tuple\n"
    "def f(x: numpy.ndarray, names: Iterable[str]) -> Tuple[numpy.ndarray, Iterable[str]]:",
    "aliases": "import typing as t\nfrom numpy import ndarray as Matrix\n"
    "def f(x: Matrix, names: t.Iterable[str]) -> t.Tuple[Matrix, t.Iterable[str]]:",
    "as text": "import numpy as np\nfrom typing import Iterable\n"
    "def f(x: 'np.ndarray', names: 'Iterable[str]') -> 'tuple[np.ndarray, Iterable[str]]':",
    "future": "from __future__ import annotations\nimport numpy as np\nfrom typing import Iterable\n"
    "def f(x: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:",
    "NDArray": "import numpy as np\nfrom numpy.typing import NDArray\nfrom typing import Iterable\n"
    "def f(x: NDArray[np.float64], names: Iterable[str]) -> tuple[NDArray[np.float64], Iterable[str]]:",
}
PLAIN = SPELLINGS["plain"] + BODY


def load(tmp_path: Path, text: str) -> python_script.ScriptRunner:
    path = tmp_path / ("0" * 64)
    path.write_text(text)
    return python_script.load(path, signature=SIGNATURE)


def score(runner: python_script.ScriptRunner, a: list[float]) -> list[float]:
    columns = {"a": Column(values=np.array(a)), "b": Column(values=np.ones(len(a)))}
    total: list[float] = runner.predict(columns, outputs=["total"])["total"].tolist()
    return total


@pytest.mark.parametrize("header", SPELLINGS.values(), ids=SPELLINGS)
def test_the_function_is_found_in_each_usual_spelling(tmp_path: Path, header: str) -> None:
    assert score(load(tmp_path, header + BODY), [1.0, 2.5]) == [2.0, 3.5]


def test_other_functions_imports_and_second_names_do_not_count(tmp_path: Path) -> None:
    text = PLAIN + "\nfrom os.path import join\ndef helper(x):\n    return x\ng = f\n"
    assert score(load(tmp_path, text), [1.0]) == [2.0]


def test_a_script_may_have_dataclasses(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + PLAIN.replace(
        "\ndef f", "\n@dataclass\nclass Row:\n    a: float\ndef f"
    )
    assert score(load(tmp_path, text), [1.0]) == [2.0]


REFUSALS = {
    "none": ("x = 1\n", "0 are. It has no function at all"),
    "other": ("def f(x: list) -> int:\n    return 1\n", r"0 are. It has f\(x: list\) -> int"),
    "names as list": (
        PLAIN.replace("names: Iterable[str]", "names: list[str]"),
        r"0 are. It has f\(x: np.ndarray, names: list",
    ),
    "unresolvable": ("def f(x: 'Nowhere'):\n    return 1\n", "0 are"),
    "two": (PLAIN + PLAIN.replace("def f", "def g"), r"2 are. It has f\(.*, g\("),
    "three parameters": (PLAIN.replace("names:", "more, names:"), "0 are"),
    "syntax": ("def f(:\n", "the script does not load: SyntaxError: invalid syntax.*line 1"),
    "raises": ("raise RuntimeError('no licence')\n", "the script does not load: RuntimeError: no licence"),
    "exits": ("import sys\nsys.exit(3)\n", "the script does not load: SystemExit"),
}


@pytest.mark.parametrize(("text", "message"), REFUSALS.values(), ids=REFUSALS)
def test_anything_but_one_function_is_refused_with_what_was_found(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelRefusedError, match=message):
        load(tmp_path, text)


def test_bad_rows_are_found_and_named(tmp_path: Path) -> None:
    runner = load(
        tmp_path,
        PLAIN.replace("\n    return", "\n    if (x == 666).any():\n        raise ValueError('poison')\n    return"),
    )
    values = [1.0] * 100
    values[17] = values[99] = 666

    with pytest.raises(RequestRefusedError, match="2 of 100 rows") as caught:
        score(runner, values)

    assert [(row.index, row.message) for row in caught.value.rows] == [
        (17, "ValueError: poison"),
        (99, "ValueError: poison"),
    ]


def test_a_batch_that_fails_only_as_a_whole_is_the_fault_of_all_its_rows(tmp_path: Path) -> None:
    runner = load(
        tmp_path, PLAIN.replace("\n    return", "\n    if len(x) > 3:\n        raise ValueError('big')\n    return")
    )
    with pytest.raises(RequestRefusedError) as caught:
        score(runner, [1.0] * 4)
    assert [row.message for row in caught.value.rows] == ["the model fails on the batch, but on no part of it"] * 4


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("np.ones((2, 1)), ['total']", r"a matrix of shape \[2, 1\] and 1 names for 1 rows"),
        ("x, ['total']", r"a matrix of shape \[1, 2\] and 1 names for 1 rows"),
        ("x, ['a', 'b']", r"gives no 'total' \(it gives a, b\)"),
    ],
)
def test_an_answer_of_another_shape_or_without_the_output_is_told(tmp_path: Path, answer: str, message: str) -> None:
    runner = load(tmp_path, SPELLINGS["plain"] + f"\n    return {answer}\n")
    with pytest.raises(RequestRefusedError, match=message):
        score(runner, [1.0])
