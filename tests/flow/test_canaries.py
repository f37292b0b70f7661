"""Canaries in environment, files and network: no text of a flow brings one of them to light.

What Bloblang offers is asked of Bento itself, so a new version's new function is tried too.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from scheduler.errors import InvalidInputError
from scheduler.flow import completion
from scheduler.lint.bento import BentoLint
from scheduler.model.job import Reason
from scheduler.model.pipeline import FilterStep, MapStep, Step
from scheduler.model.problem import Problem
from tests.flow import offers
from tests.flow.offers import Catalog

pytestmark = [pytest.mark.bento, pytest.mark.timeout(900)]

VARIABLE: Final = "MODELOPS_CANARY"
AT_ONCE: Final = 400
"""Texts in one lint."""
CLOCK_AND_CHANCE: Final = frozenset(
    {
        *("now", "timestamp_unix", "timestamp_unix_micro", "timestamp_unix_milli", "timestamp_unix_nano"),
        *("ksuid", "nanoid", "random_int", "snowflake_id", "ulid", "uuid_v4", "fake", "counter"),
    }
)
"""Functions whose value is another one in the next run: harmless to others, at the cost of the author's own result."""

MAP_ORDER: Final = frozenset({"key_values", "map_each_key", "values", "format_msgpack"})
"""Methods that walk through an object in an order of chance: what they make is sorted, or is another one each time."""


@dataclass
class Canary:
    """Secrets in a file, in the environment and behind a URL, and what would lead to them."""

    folder: Path
    secrets: list[str]
    url: str
    asked: list[str] = field(default_factory=list)
    """Paths that somebody asked the URL for."""

    @property
    def leads(self) -> tuple[str, ...]:
        schema = json.dumps({"$ref": f"file://{self.folder}/schema.json"})
        remote = json.dumps({"$ref": f"{self.url}/schema.json"})
        return (str(self.folder / "secret.txt"), VARIABLE, schema, remote)

    def is_in(self, *texts: object) -> bool:
        return any(secret in str(text) for secret in self.secrets for text in texts)


@pytest.fixture
def canary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    folder = tmp_path_factory.mktemp("canary")
    values = [f"canary-{secrets.token_hex(8)}" for _ in range(3)]
    (folder / "secret.txt").write_text(f'root = "{values[0]}"\n')
    (folder / "schema.json").write_text(json.dumps({"enum": [values[0]]}))
    monkeypatch.setenv(VARIABLE, values[1])
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"enum": [values[2]]}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's signature)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield Canary(folder=folder, secrets=values, url=f"http://127.0.0.1:{server.server_address[1]}", asked=asked)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def catalog(broken_bento: str) -> Catalog:
    return offers.catalog(broken_bento)


def as_map(text: str) -> MapStep:
    return MapStep(name="text", mapping=f"root = this\nroot.name = [{text}].format_json(no_indent: true).string()")


def as_filter(text: str) -> FilterStep:
    """Lets a record pass whose value holds a canary."""
    return FilterStep(name="text", condition=f'[{text}].format_json(no_indent: true).string().contains("canary-")')


def refused(make: Callable[..., Any], bento: str, steps: Sequence[Step]) -> dict[int, list[Problem]]:
    """The lint's problems by the number of the step."""
    found: dict[int, list[Problem]] = {}
    lint = BentoLint(bento)
    for start in range(0, len(steps), AT_ONCE):
        for problem in lint.check(make(*steps[start : start + AT_ONCE]).compile().engine):
            number = start + int(problem.pointer.split("/")[3]) - 1  # before them stands the decoder
            found.setdefault(number, []).append(problem)
    return found


@pytest.mark.parametrize("step", [as_map, as_filter])
def test_what_is_not_left_is_refused_by_its_name(
    make: Any, bento: str, catalog: Catalog, step: Callable[[str], Step]
) -> None:
    left = {(offer.kind, offer.name) for offer in catalog.left}
    gone = sorted((catalog.linked | offers.named_in_source()) - left)
    assert {("function", "env"), ("function", "file"), ("function", "hostname"), ("function", "count")} < set(gone)
    assert {("method", "json_schema"), ("method", "bloblang")} < set(gone)
    texts = [f"{name}()" if kind == "function" else f'"a".{name}()' for kind, name in gone]
    problems = refused(make, bento, [step(text) for text in texts])
    for number, (kind, name) in enumerate(gone):
        assert any(f"unrecognised {kind} '{name}'" in problem.message for problem in problems.get(number, [])), name


def test_nothing_that_is_left_reaches_a_canary(
    make: Any, bento: str, catalog: Catalog, canary: Canary, capfd: pytest.CaptureFixture[str]
) -> None:
    trials = [
        (offer.name, lead, text)
        for offer in catalog.left
        for lead in canary.leads
        for text in offers.calls(offer, lead)
    ]
    problems = refused(make, bento, [as_map(text) for _, _, text in trials])
    assert not canary.is_in(*problems.values())
    runnable = [trial for number, trial in enumerate(trials) if number not in problems]
    assert {name for name, _, _ in runnable} == {offer.name for offer in catalog.left}

    first, second = (_run(make, as_map, runnable, canary) for _ in range(2))
    _run(make, as_filter, runnable, canary)

    differing = {name for number, (name, _, _) in enumerate(runnable) if first.get(number) != second.get(number)}
    assert differing <= CLOCK_AND_CHANCE | MAP_ORDER
    assert canary.asked == []
    assert sorted(path.name for path in canary.folder.iterdir()) == ["schema.json", "secret.txt"]
    assert not canary.is_in(*capfd.readouterr())


def _run(
    make: Any, step: Callable[[str], Step], trials: Sequence[tuple[str, str, str]], canary: Canary
) -> dict[int, str]:
    """One record for each trial, whose text alone is evaluated for it: the value by its number, where it has one."""
    arms = "\n".join(f"    this.id == {number} => ({text})" for number, (_, _, text) in enumerate(trials))
    source = {"path": "in.jsonl", "format": "json-lines"}
    flow = make(step("match {\n" + arms + "\n    _ => null\n}"), output=make().input, source=source)
    rows = [{"id": number, "x": 1, "name": lead} for number, (_, lead, _) in enumerate(trials)]
    flow.write("".join(f"{json.dumps(row)}\n" for row in rows), "in.jsonl")
    end = flow.run()
    assert (end.reason, end.ledger.read) == (Reason.COMPLETED, len(trials)), end.message
    published = [path.read_bytes().decode() for path in flow.folder.glob("*.json*") if path.name != "in.jsonl"]
    assert len(published) == 3
    assert not canary.is_in(*published, completion.to_json(end).decode())
    if step is as_filter:
        assert flow.records() == []
    return {record["id"]: record["name"] for record in flow.records()}


HAND_MADE: Final = (
    'import "{folder}/secret.txt"\nroot = this',
    'from "{folder}/secret.txt"',
    'root.name = "${{{variable}}}"',
    'root.name = "${{!env(\\"{variable}\\")}}"',
    'root.name = env("{variable}")',
    'root.name = file("{folder}/secret.txt")',
    'root.name = file_rel("{folder}/secret.txt")',
    'root.name = this.name.bloblang("import \\"{folder}/secret.txt\\"")',
    'root.name = "x".json_schema("{{\\"$ref\\":\\"file://{folder}/schema.json\\"}}")',
    'root.name = "x".bloblang("root = this.json_schema(\\"{{}}\\")")',
    'map a {{ import "{folder}/secret.txt" }}\nroot = this',
)


@pytest.mark.parametrize("text", HAND_MADE)
def test_other_ways_out_are_refused(make: Any, bento: str, canary: Canary, text: str) -> None:
    written = text.format(folder=canary.folder, variable=VARIABLE)
    told = _told(make, bento, MapStep(name="text", mapping=written))
    assert told
    assert not canary.is_in(*told)
    assert canary.asked == []


def _told(make: Any, bento: str, step: MapStep) -> Sequence[Problem]:
    """What the compiler, or else the lint, has against the step."""
    try:
        compiled = make(step).compile()
    except InvalidInputError as error:
        return error.problems
    return BentoLint(bento).check(compiled.engine)
