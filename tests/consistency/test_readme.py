"""What the documents tell a reader to type is there: every command with its options, and the pipeline of the README."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml

from scheduler import assets
from scheduler.cli import app
from scheduler.ir import load, read
from scheduler.model.pipeline import ScoreStep

ROOT: Final = assets.root()
DOCUMENTS: Final = ("README.md", "LOCAL_CLUSTER.md", "CONTRIBUTING.md", "ARCHITECTURE.md")
_FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE: Final = re.compile(r"`((?:MODELOPS_CLUSTER=current )?(?:modelops|make) [^`]+)`")
# `MODELOPS_CLUSTER=current modelops …` among them
_TYPED: Final = re.compile(r"^(?:\$ |[A-Z_]+=\S+ )*((?:modelops|make) .*)$")


def typed(document: str) -> Iterator[str]:
    """Each call of `modelops` or `make` in a document, without comment and prompt."""
    text = (ROOT / document).read_text()
    blocks = [block for language, block in _FENCED.findall(text) if language in {"", "sh"}]
    lines = [line for block in blocks for line in block.splitlines() if "►" not in line]  # no picture
    for line in (*lines, *(found.replace("\n", " ") for found in _INLINE.findall(_FENCED.sub("", text)))):
        if found := _TYPED.match(line.partition("  #")[0].strip()):
            yield found[1].strip()


CALLS: Final = sorted({(document, call) for document in DOCUMENTS for call in typed(document)})
MODELOPS: Final = [one for one in CALLS if one[1].startswith("modelops ")]
MAKE: Final = [one for one in CALLS if one[1].startswith("make ")]


def test_calls_are_found() -> None:
    assert ("README.md", "make demo") in CALLS
    assert ("README.md", "modelops job start flight-delay --watch --set threshold=0.7") in CALLS


@pytest.mark.parametrize(("document", "call"), MODELOPS)
def test_a_command_takes_what_a_document_gives_it(document: str, call: str) -> None:
    """Parsed by the command itself, and not run."""
    words = [word for word in shlex.split(call)[1:] if word != "…"]
    if "|" in call:  # `modelops cluster up|down|status`
        words = [word.partition("|")[0] for word in words]
    command: Any = typer.main.get_command(app.app)
    path = ["modelops"]
    while words and getattr(command, "commands", None) and not words[0].startswith("-"):
        assert words[0] in command.commands, f"there is no {' '.join([*path, words[0]])}"
        path.append(words[0])
        command = command.get_command(None, words.pop(0))
    required = [one for one in command.params if one.required]
    if not words and required:
        return  # the command's name alone, in a sentence
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    if words[:1] and words[0] in known and getattr(command, "commands", None):
        return  # an option of the whole program, such as --install-completion
    command.make_context(" ".join(path), words)


@pytest.mark.parametrize(("document", "call"), MAKE)
def test_a_verb_is_one_of_the_makefile(document: str, call: str) -> None:
    verbs = [word for word in shlex.split(call)[1:] if "=" not in word and word != "…"]
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {one for verb in verbs for one in verb.split("/")} - targets == set()


def test_the_pipeline_of_the_readme_is_an_ir(tmp_path: Path) -> None:
    """With the record schemas that it leaves out, cut down to what its model takes."""
    (shown,) = [block for language, block in _FENCED.findall((ROOT / "README.md").read_text()) if language == "yaml"]
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
