"""Values of parameters in a text of Bloblang, as the real engine reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scheduler.model.pipeline import MapStep

pytestmark = [pytest.mark.bento, pytest.mark.timeout(60)]

VALUES = [
    '" + env("HOME") + "',
    "${HOME}",
    '$${HOME} ${! env("HOME") }',
    "ü😀\u2028\x7f\x00\x1f\\ \\n",
    "a\nb\r\tc",
    "{{ parameters.p1 }}",
    0.0000001,
    -0.5,
    2.0,
    1e22,
    -3,
    2**53,
    True,
    None,
]


def test_a_parameter_is_read_as_itself_and_never_as_code(make: Any) -> None:
    entries = ", ".join(f"{{{{ parameters.p{number} }}}}" for number in range(len(VALUES)))
    mapping = f"root = this\nroot.name = [{entries}].format_json().string()"
    parameters = {f"p{number}": value for number, value in enumerate(VALUES)}
    flow = make(MapStep(name="show", mapping=mapping), parameters=parameters)
    flow.write("id,x,name\n1,1,a\n")

    end = flow.run()

    assert end.message == ""
    assert json.loads(flow.records()[0]["name"]) == VALUES
