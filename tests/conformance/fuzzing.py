"""Runs a fuzz target with atheris, in a process with limits of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from scheduler import assets

_TARGETS: Final = Path(__file__).parent / "targets"
_DONE: Final = re.compile(r"Done (\d+) runs in")
_MEMORY_MIB: Final = 1024
_INPUT_SECONDS: Final = 20
_MOST_BYTES: Final = 65536


def fuzz(target: str, *, corpus: Path, seed: int, seconds: int, folder: Path) -> int:
    """Inputs that were tried within `seconds`; AssertionError with the first that the target does not hold for."""
    new = folder / "new"
    new.mkdir()
    options = (f"-seed={seed}", f"-max_total_time={seconds}", f"-max_len={_MOST_BYTES}", f"-timeout={_INPUT_SECONDS}")
    command = [sys.executable, str(_TARGETS / f"{target}.py"), *options, f"-rss_limit_mb={_MEMORY_MIB}"]
    command += [f"-artifact_prefix={folder}/", "-print_final_stats=0", str(new), str(corpus)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + 180,
        check=False,
        env={**os.environ, "PYTHONPATH": str(assets.CHECKOUT)},
    )
    finds = [f"{path.name}: {path.read_bytes()[:2000]!r}" for path in folder.iterdir() if path.is_file()]
    told = done.stdout[-6000:] + done.stderr[-6000:]
    assert done.returncode == 0 and not finds, "\n".join([*finds, told])  # noqa: PT018 - both are told of
    found = _DONE.search(done.stderr)
    assert found, told
    return int(found[1])


def ir_corpus(folder: Path) -> Path:
    """Every text of the examples, valid or not, and each example's folder as one text."""
    folder.mkdir()
    examples = assets.CHECKOUT / "ir-schemas" / "examples"
    texts = [path.read_bytes() for path in sorted(examples.rglob("*")) if path.suffix in {".yaml", ".yml", ".json"}]
    valid = sorted((examples / "valid").iterdir())
    texts += [b"\n---\n".join(path.read_bytes() for path in sorted(one.rglob("*.yaml"))) for one in valid]
    for number, text in enumerate(texts):
        if len(text) <= _MOST_BYTES:
            (folder / f"{number:03d}").write_bytes(text)
    return folder


EXPRESSIONS: Final = (
    "{{ parameters.text }}",
    "root.a = {{ parameters.text }}",
    'root.a = "x" + {{ parameters.text | upper }}',
    "{{ parameters.number * 2 + globals.rate }}",
    "{{ 'a' if parameters.flag else parameters['none'] }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ parameters.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.environ }}",
    "{{ 'a' * 999999999 }}{{ 9 ** 99999 }}",
    "{% for x in range(9999999) %}{% endfor %}",
    "{{ parameters.text | attr('__class__') | format }}",
    "{# #}{{ (1, [2], {3: 4}) }}{{ 1 // 0 }}",
    'root.a = """{{ parameters.text }}""" # {{ parameters.number }}',
)


def expression_corpus(folder: Path) -> Path:
    """Texts that Jinja2 would take, and ways out of other sandboxes."""
    folder.mkdir()
    for number, text in enumerate(EXPRESSIONS):
        (folder / f"{number:03d}").write_bytes(text.encode())
    return folder
