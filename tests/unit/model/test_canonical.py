"""Equal values have equal bytes, and so equal digests."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.model import canonical

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=20,
)


@given(VALUES)
@settings(deadline=None)
def test_the_bytes_survive_being_read_and_written(value: Any) -> None:
    given = canonical.json_bytes(value)

    assert canonical.json_bytes(json.loads(given)) == given


@given(st.dictionaries(st.text(), VALUES, min_size=2))
@settings(deadline=None)
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))

    assert canonical.digest(turned) == canonical.digest(value)


def test_frozen_values_count_as_what_they_hold() -> None:
    frozen = MappingProxyType({"a": (1, MappingProxyType({"b": 2}))})

    assert canonical.json_bytes(frozen) == b'{"a":[1,{"b":2}]}'


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], "\ud800"])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical.json_bytes(value)


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="set is not a JSON value"):
        canonical.json_bytes({"a": {1}})


def test_the_digest_names_its_algorithm() -> None:
    assert canonical.digest([]) == "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
