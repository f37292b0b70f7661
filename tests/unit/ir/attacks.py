"""Texts that are meant to cost much more to read than to write.

Run as a program it reads each in a process of its own and prints what happened, a JSON line each: the outcome, the
seconds of processor time, and the memory beyond what the process had when it began.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from scheduler.errors import InvalidInputError, TooLargeError
from scheduler.ir import limits, load

FULL = limits.BYTES - 64


def _filled(part: str, *, before: str = "", after: str = "") -> str:
    return before + part * ((FULL - len(before) - len(after)) // len(part)) + after


def _laughs() -> str:
    lines = ["l0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return "\n".join(lines)


def _document(kind: str, spec: str) -> str:
    return f"kind: {kind}\nmetadata: {{name: x}}\nspec:\n{spec}"


def _keys(count: int, template: str) -> str:
    return "".join(template.format(number) for number in range(count))


def _steps(text: str) -> str:
    """A flow with as many map steps of this text as there is room for, among as many parameters as may be."""
    pipeline = _document("ScoringPipeline", "  parameters:\n" + _keys(1_500, "    - {{name: p-{}}}\n"))
    flow = _document("ScoringFlow", "  steps:\n")
    return _filled(f"    - {{map: '{text}'}}\n", before=f"{pipeline}---\n{flow}")


ATTACKS: Mapping[str, Callable[[], str]] = {
    "deep flow lists": lambda: "[" * FULL,
    "deep flow mappings": lambda: _filled("{a: "),
    "deep block lists": lambda: _filled("- "),
    "deep complex keys": lambda: _filled("? "),
    "deep JSON.json": lambda: "[" * FULL,
    "wide list": lambda: _filled("- 1\n"),
    "wide flow list": lambda: _filled("1,", before="["),
    "wide JSON list.json": lambda: _filled("1,", before="[", after="1]"),
    "wide mapping": lambda: _keys(300_000, "k{}: 1\n"),
    "billion laughs": _laughs,
    "aliases of a large value": lambda: "a: &a [" + "1," * 4000 + "]\nb: [" + "*a," * 100_000 + "]",
    "many anchors": lambda: _keys(200_000, "- &a{} 1\n"),
    "many documents": lambda: _filled("--- {}\n"),
    "many empty documents": lambda: _filled("---\n"),
    "one long text": lambda: _document("Model", "  type: " + "x" * (FULL - 100)),
    "one long text of wide characters": lambda: _document("Model", "  type: " + "𝄞" * (FULL // 4 - 100)),
    "one long key": lambda: "x" * (FULL - 10) + ": 1",
    "one long quoted key": lambda: '"' + "x" * (FULL - 10) + '": 1',
    "one long number": lambda: _document("Model", "  type: " + "9" * (FULL - 100)),
    "one long number.json": lambda: '{"a": ' + "9" * (FULL - 100) + "}",
    "escapes": lambda: _filled("\\u00e9", before='"', after='"'),
    "escapes.json": lambda: _filled("\\ud83d\\ude00", before='{"a": "', after='"}'),
    "folded lines": lambda: _filled("x\n  ", before=_document("Model", "  type: >\n    ")),
    "comments": lambda: _filled("# x\n"),
    "blank lines": lambda: "\n" * FULL,
    "blanks.json": lambda: " \n" * (FULL // 2),
    "tags": lambda: _filled("- !!python/object:os.system x\n"),
    "directives": lambda: _filled("%TAG ! tag:x,2000:\n"),
    "keys given twice": lambda: _filled("a: 1\n"),
    "unknown keys": lambda: _document("Model", _keys(9_000, "  artifac{}: 1\n")),
    "long unknown keys": lambda: _document("Model", _keys(9_000, "  artifact" + "x" * 200 + "{}: 1\n")),
    "unknown names": lambda: _document("ScoringPipeline", "  flows:\n" + _keys(9_000, "    - flow{}\n")),
    "unknown names among many": lambda: "\n---\n".join(
        [
            _document("ScoringPipeline", "  flows:\n" + _keys(100, "    - flow-{}\n")),
            *(f"kind: ScoringFlow\nmetadata: {{name: flow-x{number}}}" for number in range(4_500)),
        ]
    ),
    "wrong steps": lambda: _document("ScoringFlow", "  steps:\n" + _keys(4_900, "    - {{n{}: 1}}\n")),
    "wrong fields": lambda: _document("RecordSchema", "  properties:\n" + _keys(4_900, "    f{}: {{tipe: 1}}\n")),
    "unknown parameters": lambda: _steps(_keys(3_000, "{{{{parameters.p{}}}}} ")),
    "one long expression": lambda: _steps("{{ " + "(1)+ " * 12_000 + "1 }}"),
    "passwords": lambda: _document("DataChannel", "  config:\n" + _keys(4_900, "    k{}: {{password: x}}\n")),
    "almost a password": lambda: _document("DataChannel", "  config: {path: 'x://" + "a" * (FULL - 200) + "'}"),
    "almost many passwords": lambda: _filled(
        "x://a:", before=_document("DataChannel", "  config: {path: '"), after="'}"
    ),
    "almost a duration": lambda: _document("ScoringPipeline", "  deadlines: {run: " + "1" * (FULL - 200) + "}"),
    "almost a path": lambda: _filled("../x", before=_document("DataChannel", "  config: {path: "), after="}"),
    "almost an artifact": lambda: _filled("a/", before=_document("Model", "  artifact: "), after=" "),
    "one byte too many": lambda: "#" * (limits.BYTES + 1),
}


def measure(name: str) -> None:
    text = ATTACKS[name]().encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    try:
        load.from_text(text, file="attack.json" if name.endswith(".json") else "attack.yaml")
        outcome = "accepted"
    except (InvalidInputError, TooLargeError) as error:
        outcome = type(error).__name__
    seconds = time.process_time() - started
    mebibytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"name": name, "outcome": outcome, "seconds": seconds, "mebibytes": mebibytes}), flush=True)


def main(names: Sequence[str]) -> None:
    """Measure these attacks, or all: a line each."""
    _warm()
    context = multiprocessing.get_context("fork")
    for name in names or ATTACKS:
        child = context.Process(target=measure, args=[name])
        child.start()
        child.join(timeout=60)
        child.kill()


def _warm() -> None:
    """What is imported and compiled once for all texts is not the cost of one."""
    kinds = ("ScoringPipeline", "ScoringFlow", "Model", "RecordSchema", "DataChannel")
    try:
        load.from_text("\n---\n".join(f"kind: {kind}" for kind in kinds))
    except InvalidInputError:
        return


if __name__ == "__main__":
    main(sys.argv[1:])
