import re
from pathlib import Path

import pytest

from scheduler import assets
from scheduler.images import lock

LOCKS = [lock.development(assets.root()), *lock.images(assets.root())]


def _pins(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", file.read_text(), flags=re.MULTILINE))


def test_addresses_are_left_out() -> None:
    text = "--index-url https://index.example.com\n-c /tmp/x\na==1 \\\n    --hash=sha256:00\n"
    assert lock.without_addresses(text) == "# Made by `make lock`; not to be edited.\na==1 \\\n    --hash=sha256:00\n"


@pytest.mark.parametrize("made", LOCKS, ids=lambda made: str(made.target.relative_to(assets.root())))
def test_a_lock_holds_names_versions_and_hashes_only(made: lock.Lock) -> None:
    lines = made.target.read_text().splitlines()[1:]
    pattern = r"[a-z0-9.-]+==[^\s;]+( ; [a-z_]+ .*)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    assert [line for line in lines if not re.fullmatch(pattern, line)] == []


@pytest.mark.parametrize("made", LOCKS[1:], ids=lambda made: str(made.target.relative_to(assets.root())))
def test_an_image_runs_what_was_tested(made: lock.Lock) -> None:
    everything = _pins(LOCKS[0].target)
    pins = _pins(made.target)
    assert pins
    assert {name: version for name, version in pins.items() if everything.get(name) != version} == {}


@pytest.mark.parametrize("made", LOCKS[1:], ids=lambda made: str(made.target.relative_to(assets.root())))
def test_a_lock_holds_what_its_image_asks_for(made: lock.Lock) -> None:
    wanted = {line for line in made.source.read_text().splitlines() if line and not line.startswith("#")}
    assert wanted - set(_pins(made.target)) == set()
