"""Matching models to scoring servers."""

from __future__ import annotations

from dataclasses import replace

from scheduler.preprocess import services
from scheduler.preprocess.services import Candidate, ScoringServer

from .pipelines import MODEL, PIPELINE

PMML = ScoringServer(chart="scoring-server-pmml", types=("pmml",))
PYTHON = ScoringServer(chart="scoring-server-python", types=("python-script", "python-binary"))
RELEASE = "j" + "a" * 20


def test_each_model_goes_to_the_server_that_supports_its_type() -> None:
    script = replace(MODEL, name="another", type="python-script")

    found, problems = services.match(replace(PIPELINE, models=(MODEL, script)), [PMML, PYTHON], release=RELEASE)

    assert problems == ()
    assert found.charts == {"scoring-server-pmml": (MODEL,), "scoring-server-python": (script,)}


def test_a_step_reaches_its_model_through_a_route() -> None:
    """A route is one level of indirection: more candidates with weights may stand behind the name later."""
    found, _ = services.match(PIPELINE, [PMML], release=RELEASE)

    assert found.routes == {"delay": (Candidate(model=MODEL, url=f"http://{RELEASE}-pmml-6e16db10:8080", weight=100),)}
    assert found.routes["delay"][0].service == f"{RELEASE}-pmml-6e16db10"


def test_a_model_without_a_server_names_the_servers_and_their_types() -> None:
    _, problems = services.match(PIPELINE, [PYTHON], release=RELEASE)

    assert [(problem.pointer, problem.message, problem.candidates) for problem in problems] == [
        (
            "/spec/type",
            "no scoring server supports models of type 'pmml'",
            ("scoring-server-python (python-script, python-binary)",),
        )
    ]


def test_two_servers_for_one_type_are_ambiguous() -> None:
    _, problems = services.match(PIPELINE, [PMML, replace(PMML, chart="scoring-server-other")], release=RELEASE)

    assert problems[0].candidates == ("scoring-server-other", "scoring-server-pmml")


def test_a_model_that_was_never_deployed_cannot_be_served() -> None:
    _, problems = services.match(replace(PIPELINE, models=(replace(MODEL, sha256=""),)), [PMML], release=RELEASE)

    assert "has no digest: its artifact 'models/delay.pmml' has not been deployed" in problems[0].message
