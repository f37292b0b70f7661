"""Settings that say the same in another way, and settings that say less."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from scheduler.devcluster import tekton as local
from scheduler.inspection import tekton
from scheduler.inspection.facts import Tekton
from scheduler.inspection.findings import State
from scheduler.tekton import prerequisite

GOOD = Tekton(version="v1.15.0", settings=dict(local.SETTINGS), arguments=(), refusal="")


def state_of(what: str, **changes: Any) -> State:
    found = {one.what: one.state for one in tekton.judge(dataclasses.replace(GOOD, **changes))}
    return found[what]


def with_resources(text: str) -> dict[str, Any]:
    return {**local.SETTINGS, "config-defaults": {prerequisite.RESOURCES: text}}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("{prepare: {limits: {cpu: 1}}, place-scripts: {limits: {cpu: 2000m}}}", State.OK),
        ("{prepare: {requests: {cpu: 10m}}, place-scripts: {}}", State.OK),
        ("{prepare: {limits: {cpu: 500m}}, place-scripts: {limits: {cpu: 1}}}", State.COSTS),
        ("{prepare: {limits: {cpu: 1}}}", State.COSTS),
        ("{default: {limits: {cpu: 4}}}", State.COSTS),
        ("{prepare: {limits: {cpu: much}}, place-scripts: {limits: {cpu: 1}}}", State.COSTS),
        ("{prepare: [", State.COSTS),
        ("text", State.COSTS),
        ("", State.COSTS),
    ],
)
def test_the_throttle_is_known_in_every_form(text: str, state: State) -> None:
    what = f"config-defaults {prerequisite.RESOURCES}"
    assert state_of(what, settings=with_resources(text)) is state


@pytest.mark.parametrize(
    ("value", "state"),
    [("10s", State.OK), ("15s", State.OK), ("0m15s", State.OK), ("1m", State.COSTS), ("x", State.COSTS)],
)
def test_shorter_leases_are_as_good(value: str, state: State) -> None:
    config = "config-leader-election-controller"
    settings = {**local.SETTINGS, config: {"lease-duration": value}}
    assert state_of(f"{config} lease-duration", settings=settings) is state


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (("-kube-api-qps", "50"), State.OK),
        (("--kube-api-qps=200",), State.OK),
        (("-kube-api-qps=49",), State.COSTS),
        (("-kube-api-qps",), State.COSTS),
        (("-kube-api-qps-more", "50"), State.COSTS),
        ((), State.COSTS),
    ],
)
def test_flags_are_read_however_they_are_written(words: tuple[str, ...], state: State) -> None:
    assert state_of("controller -kube-api-qps", arguments=words) is state


def test_the_local_cluster_is_made_as_is_wanted() -> None:
    for setting in prerequisite.SETTINGS:
        assert local.SETTINGS[setting.config][setting.key] == setting.value
        assert setting.value != setting.default
    for argument in prerequisite.ARGUMENTS:
        assert argument.value > argument.default
