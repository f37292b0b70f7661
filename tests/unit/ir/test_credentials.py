"""Credentials are found by the names of keys and in URLs, nothing else is taken for one, and none is repeated."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.ir import credentials
from scheduler.ir.source import Sourced


def found(document: dict[str, Any]) -> list[str]:
    return [problem.pointer for problem, _ in credentials.problems(Sourced(document=document))]


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "PASSWORD",
        "db_password",
        "token",
        "accessToken",
        "api-key",
        "apiKey",
        "clientSecret",
        "sasl.jaas.config",
        "AWS_SECRET_ACCESS_KEY",
        "privateKey",
        "ssl.key.password",
        "Authorization",
    ],
)
def test_keys_of_credentials(key: str) -> None:
    document = {"kind": "DataChannel", "spec": {"config": {"a": [{key: "hunter2"}]}}}

    (problem, covered), *more = credentials.problems(Sourced(document=document))

    assert not more
    assert covered == (f"/spec/config/a/0/{key}",)
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize("key", ["max_tokens", "tokens", "key", "keys", "secretRef", "passenger", "author", "monkey"])
def test_keys_that_only_look_like_it(key: str) -> None:
    assert not found({"kind": "DataChannel", "spec": {"config": {key: "x"}}})


def test_a_reference_to_a_secret_is_none() -> None:
    reference = {"secretRef": {"name": "kafka", "key": "password"}}

    assert not found({"kind": "DataChannel", "spec": {"config": {"password": reference}}})


def test_the_fields_of_a_record_may_be_called_anything() -> None:
    assert not found({"kind": "RecordSchema", "spec": {"properties": {"password": {"type": "string"}}}})
    assert found({"kind": "RecordSchema", "spec": {"password": "x"}}) == ["/spec/password"]


@pytest.mark.parametrize(
    "text",
    ["https://u:p@example.org/x", "see s3://key:secret@example.org", 'root.u = "kafka://a:b@example.org:9092"'],
)
def test_urls_with_user_and_password(text: str) -> None:
    assert found({"kind": "ScoringFlow", "spec": {"steps": [{"map": text}]}}) == ["/spec/steps/0/map"]


@pytest.mark.parametrize(
    "text",
    ["https://example.org:8080/@me", "https://anna@example.org", "a:b@c", "mailto:a@example.org", "://:@", "x://a:b/@"],
)
def test_urls_without(text: str) -> None:
    assert not found({"kind": "ScoringFlow", "spec": {"steps": [{"map": text}]}})


def test_defaults_of_parameters_that_are_named_like_one() -> None:
    parameters = [
        {"name": "password", "type": "string", "default": "x"},
        {"name": "password", "type": "string"},
        {"name": "threshold", "type": "number", "default": 1},
    ]

    assert found({"kind": "ScoringPipeline", "spec": {"parameters": parameters}}) == ["/spec/parameters/0/default"]


def test_plain_values_of_variables() -> None:
    entries = [{"name": "A", "value": "x"}, {"name": "B", "secretRef": {"name": "b", "key": "c"}}, 5]

    assert found({"kind": "ScoringPipeline", "spec": {"env": entries}}) == ["/spec/env/0/value"]
