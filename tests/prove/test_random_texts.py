"""Random flows, random requests and random texts, many of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.conformance import fuzzing, openapi, servers
from tests.flow import flows
from tests.flow import test_random_flows as random_flows
from tests.flow.conftest import bento  # noqa: F401 - a fixture
from tests.flow.flows import Case
from tests.prove import record

pytestmark = [pytest.mark.timeout(7200)]

SEED: Final = 20261121
FLOWS: Final = 1000
REQUESTS: Final = 500
"""Examples an operation and phase."""
FUZZ_SECONDS: Final = 900


def test_random_flows(bento: str) -> None:  # noqa: F811 - the fixture
    seen: Counter[str] = Counter()

    @seed(SEED)
    @settings(max_examples=FLOWS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=flows.cases())
    def one(case: Case) -> None:
        random_flows.check(case, bento)
        seen["flows"] += 1
        seen["records"] += len(case.rows)

    one()
    record.write(
        "Random flows over random sources against a model in plain Python",
        f"{seen['flows']} flows, {seen['records']} records: ledger, sink and dead letters equal",
        seeds=[SEED],
    )


@pytest.mark.parametrize("server", ["scheduling", "modelops"])
def test_random_requests(tmp_path: Path, server: str) -> None:
    serving = servers.scheduling() if server == "scheduling" else servers.modelops(tmp_path / "data")
    with serving as served:
        tried = openapi.check(
            served.url, served.token, examples=REQUESTS, seed=SEED, folder=tmp_path, limit_seconds=7000
        )
    record.write(
        f"Schemathesis over the {server} server's OpenAPI document",
        f"{tried} requests: no server error, no answer that the document does not know",
        seeds=[SEED],
    )


@pytest.mark.parametrize(
    ("target", "corpus", "what"),
    [
        ("ir_text", fuzzing.ir_corpus, "IR loader"),
        ("expression", fuzzing.expression_corpus, "expressions in texts"),
    ],
)
def test_random_texts(tmp_path: Path, target: str, corpus: object, what: str) -> None:
    assert callable(corpus)
    (tmp_path / "run").mkdir()
    made = corpus(tmp_path / "corpus")
    tried = fuzzing.fuzz(target, corpus=made, seed=SEED, seconds=FUZZ_SECONDS, folder=tmp_path / "run")
    record.write(
        f"Atheris on the {what}",
        f"{tried} texts in {FUZZ_SECONDS // 60} min: only its own errors came out",
        seeds=[SEED],
    )
