"""What the documents tell a reader to type is there: every command with its options, and the pipeline of the README."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import assets
from scheduler.ir import load, read
from scheduler.model.pipeline import ScoreStep
from tests.consistency import typed

ROOT: Final = assets.root()
_PLACES: Final = ("*.md", "docs/*.md", "charts/*/README.md", "charts/subcharts/*/README.md", "*/README.md")
_LEFT_OUT: Final = {"CHANGELOG.md", "CLI.md"}
"""The history, and what is generated from the commands themselves."""
DOCUMENTS: Final = sorted({str(found.relative_to(ROOT)) for place in _PLACES for found in ROOT.glob(place)} - _LEFT_OUT)
CALLS: Final = sorted({(name, call) for name in DOCUMENTS for call in typed.in_markdown((ROOT / name).read_text())})
MODELOPS: Final = [one for one in CALLS if one[1].startswith("modelops ")]
MAKE: Final = [one for one in CALLS if one[1].startswith("make ")]


def test_calls_are_found() -> None:
    assert ("README.md", "make demo") in CALLS
    assert ("README.md", "modelops job start flight-delay --watch --set threshold=0.7") in CALLS
    assert {"docs/sub-charts.md", "charts/modelops/README.md", "ir-schemas/README.md"} <= {name for name, _ in CALLS}


@pytest.mark.parametrize(("document", "call"), MODELOPS)
def test_a_command_takes_what_a_document_gives_it(document: str, call: str) -> None:
    typed.check(call)


def test_a_bootstrap_names_the_base_that_an_empty_registry_lacks() -> None:
    """The default is the local cluster's."""
    calls = [shlex.split(call)[3:] for _, call in CALLS if call.startswith("modelops images bootstrap ")]

    assert len(calls) >= 3
    assert [words for words in calls if not {"--base", "--values"} <= set(words)] == []


@pytest.mark.parametrize(("document", "call"), MAKE)
def test_a_verb_is_one_of_the_makefile(document: str, call: str) -> None:
    verbs = [word for word in shlex.split(call)[1:] if "=" not in word and word != "…"]
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {one for verb in verbs for one in verb.split("/")} - targets == set()


def test_the_pipeline_of_the_readme_is_an_ir(tmp_path: Path) -> None:
    """With the record schemas that it leaves out, cut down to what its model takes."""
    (shown,) = [
        block for language, block in typed.FENCED.findall((ROOT / "README.md").read_text()) if language == "yaml"
    ]
    schemas = _documents((ROOT / "scheduler/demo/ir/pipeline.yaml").read_text(), "RecordSchema")
    (takes,) = [document["spec"] for document in schemas if document["metadata"]["name"] == "delay-input"]
    (flow,) = _documents(shown, "ScoringFlow")
    (step,) = [step["score"] for step in flow["spec"]["steps"] if "score" in step]
    takes["properties"] = {name: takes["properties"][name] for name in step["inputs"]}
    takes["required"] = step["inputs"]
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "delay.pmml").write_text("<PMML/>")
    (tmp_path / "pipeline.yaml").write_text(shown)
    (tmp_path / "schemas.yaml").write_text(yaml.safe_dump_all(schemas))

    pipeline = load.from_folder(tmp_path, fill_digests=True).pipeline

    assert pipeline.name == "flight-delay"
    assert [one.model for one in pipeline.flows[0].steps if isinstance(one, ScoreStep)] == ["delay"]


def _documents(text: str, kind: str) -> list[dict[str, Any]]:
    documents = (json.loads(json.dumps(one.document)) for one in read.parse(text.encode(), file="text"))
    return [document for document in documents if document["kind"] == kind]
