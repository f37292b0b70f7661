"""Merge patches (RFC 7386) and the part of JSON patches (RFC 6902) that is used here: test, add, replace, remove."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem


def merged(target: object, patch: object) -> Any:
    """`target` with `patch` laid upon it; None removes a key, lists replace.

    >>> merged({"a": {"b": 1, "c": [1]}}, {"a": {"b": None, "c": []}})
    {'a': {'c': []}}
    """
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def stepped(target: object, steps: Sequence[Mapping[str, object]]) -> Any:
    """`target` after all `steps`; InvalidInputError, and nothing done, when one does not apply.

    >>> stepped({"a": {"b/c": 1}}, [{"op": "test", "path": "/a/b~1c", "value": 1}, {"op": "remove", "path": "/a/b~1c"}])
    {'a': {}}
    """
    result = copy.deepcopy(target)
    for step in steps:
        *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in str(step["path"]).split("/")[1:])
        place: Any = result
        for part in parents:
            place = _child(place, part, step)
        _apply(place, last, step)
    return result


def _child(place: Any, part: str, step: Mapping[str, object]) -> Any:
    if isinstance(place, Mapping) and part in place:
        return place[part]
    if isinstance(place, list) and part.isdigit() and int(part) < len(place):
        return place[int(part)]
    raise _refused(step)


def _apply(place: Any, last: str, step: Mapping[str, object]) -> None:
    key: Any = int(last) if isinstance(place, list) and last.isdigit() else last
    if step["op"] == "add":
        if isinstance(place, list):
            place.insert(len(place) if last == "-" else key, copy.deepcopy(step["value"]))
        else:
            place[key] = copy.deepcopy(step["value"])
        return
    present = _child(place, last, step)
    if step["op"] == "remove":
        del place[key]
    elif step["op"] == "replace":
        place[key] = copy.deepcopy(step["value"])
    elif step["op"] != "test" or present != step["value"]:
        raise _refused(step)


def _refused(step: Mapping[str, object]) -> InvalidInputError:
    message = "the server rejected our request due to an error in our request"
    return InvalidInputError([Problem(pointer=str(step["path"]), message=message)])
