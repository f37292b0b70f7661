"""`python-script`: a Python file with one function `(np.ndarray, Iterable[str]) -> tuple[np.ndarray, Iterable[str]]`.

It gets the rows (a matrix, one column a field) and the column names, and gives a matrix with as many rows and its
column names, among which the model's outputs must be. Numbers and booleans alone come as float64 with NaN for missing;
with text among them the matrix holds objects, None for missing. The function is found by its annotations, not by its
name, in any of their usual spellings; no function or two of that kind are refused.
"""

from __future__ import annotations

import collections.abc
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from scheduler.serving import columns as columns_
from scheduler.serving.columns import Array, Columns
from scheduler.serving.faults import ModelRefusedError
from scheduler.serving.runners import isolation
from scheduler.serving.runners.port import Results
from scheduler.serving.signature import Signature

Score: TypeAlias = Callable[[Array, Iterable[str]], tuple[Array, Iterable[str]]]
SIGNATURE: Final = "(np.ndarray, Iterable[str]) -> tuple[np.ndarray, Iterable[str]]"


class ScriptRunner:
    """Calls the script's function."""

    platform = "python_script"
    rows_alone = False  # nobody knows what a function makes of its rows

    def __init__(self, score: Score, *, signature: Signature) -> None:
        self._score = score
        self._names = [tensor.name for tensor in signature.inputs]

    def predict(self, columns: Columns, *, outputs: Sequence[str]) -> Results:
        return isolation.predict(lambda matrix: self._scored(matrix, outputs), columns_.matrix(columns, self._names))

    def close(self) -> None:
        """Nothing is held but memory."""

    def _scored(self, matrix: Array, outputs: Sequence[str]) -> Results:
        answer, answered = self._score(matrix, list(self._names))
        result, names = np.asarray(answer), [str(name) for name in answered]
        if result.ndim == 1:
            result = result.reshape(-1, 1)
        if result.shape != (len(matrix), len(names)):
            raise ValueError(
                f"the script gives a matrix of shape {list(result.shape)} and {len(names)} names for {len(matrix)} rows"
            )
        absent = [name for name in outputs if name not in names]
        if absent:
            raise ValueError(f"the script gives no {', '.join(map(repr, absent))} (it gives {', '.join(names)})")
        return {name: result[:, names.index(name)] for name in outputs}


def load(path: Path, *, signature: Signature) -> ScriptRunner:
    """Run the file as a module of its own and take its one function; the digest was checked by the caller."""
    module = _executed(path)
    # a second name for the same function does not make two of it
    own = list(dict.fromkeys(filter(inspect.isfunction, vars(module).values())))
    own = [function for function in own if function.__module__ == module.__name__]
    fitting = [function for function in own if fits(function)]
    if len(fitting) != 1:
        found = ", ".join(f"{item.__name__}{_shown(item)}" for item in (fitting or own)) or "no function at all"
        raise ModelRefusedError(
            f"the script must have exactly one function annotated {SIGNATURE}; {len(fitting)} are. It has {found}"
        )
    return ScriptRunner(fitting[0], signature=signature)


def fits(function: Callable[..., Any]) -> bool:
    """Whether its annotations are the scoring signature: two plain parameters and the pair that comes back.

    numpy.ndarray or numpy.typing.NDArray; Iterable of typing or collections.abc; tuple or typing.Tuple; also as text.
    """
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError, SyntaxError):
        return False
    parameters = list(inspect.signature(function).parameters.values())
    plain = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    if len(parameters) != 2 or any(item.kind not in plain for item in parameters):
        return False
    first, second = (hints.get(item.name) for item in parameters)
    given = hints.get("return")
    pair = typing.get_args(given)
    return (
        _is_array(first)
        and _is_names(second)
        and typing.get_origin(given) is tuple
        and len(pair) == 2
        and _is_array(pair[0])
        and _is_names(pair[1])
    )


def _is_array(hint: Any) -> bool:
    origin = typing.get_origin(hint) or hint
    meant = getattr(origin, "__value__", origin)  # of an alias made with `type`, as numpy 2.5 makes NDArray
    return meant is np.ndarray or typing.get_origin(meant) is np.ndarray


def _is_names(hint: Any) -> bool:
    return typing.get_origin(hint) is collections.abc.Iterable and typing.get_args(hint) == (str,)


def _shown(function: Callable[..., Any]) -> str:
    return str(inspect.signature(function)).replace("numpy.", "np.").replace("collections.abc.", "")


def _executed(path: Path) -> types.ModuleType:
    name = f"modelops_script_{path.name}"
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_loader(name, loader)
    if spec is None:
        raise ModelRefusedError(f"{path} cannot be loaded as a Python module")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and typing look a class's module up there
    try:
        # compiled here: the loader would write its byte code beside the model, where nothing may be written
        code = compile(loader.get_data(str(path)), "model.py", "exec", dont_inherit=True)
        exec(code, vars(module))  # noqa: S102 - a script is code
    except (Exception, SystemExit) as error:  # a script may raise whatever it likes
        raise ModelRefusedError(f"the script does not load: {type(error).__name__}: {error}") from error
    return module
