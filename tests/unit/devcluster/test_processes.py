"""Processes of the cluster: started, found again, ended, and never mistaken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.devcluster import processes
from scheduler.devcluster.home import Home
from scheduler.devcluster.plan import Process
from scheduler.errors import ProgramError

SLEEPER = Process(name="sleeper", command=("/bin/sleep", "60"))
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def marked(home: Home) -> processes.Running:
    """A started process, once its environment can be read: that is a moment after its start."""
    started = processes.start(SLEEPER, home)
    assert processes.wait_until(lambda: bool(processes.scan(home)), limit_seconds=20)
    return started


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    given = Home(root=tmp_path / "home", run=tmp_path / "run")
    yield given
    processes.kill(processes.scan(given))


def test_a_started_process_is_found_and_ended(home: Home) -> None:
    started = processes.start(SLEEPER, home)
    assert processes.find("sleeper", home) == started
    processes.stop(started)
    assert processes.find("sleeper", home) is None


def test_it_lives_in_a_session_of_its_own(home: Home) -> None:
    started = processes.start(SLEEPER, home)
    assert os.getsid(started.pid) == started.pid


def test_a_recycled_process_id_is_not_trusted(home: Home) -> None:
    """The record says our own id, with the start time of a process long gone."""
    home.pids.mkdir(parents=True)
    record = {"name": "sleeper", "pid": os.getpid(), "start_ticks": 1, "recipe": ""}
    (home.pids / "sleeper.json").write_text(json.dumps(record))
    assert processes.find("sleeper", home) is None


def test_stopping_a_recycled_id_signals_nobody(home: Home) -> None:
    started = processes.start(SLEEPER, home)
    processes.stop(replace(started, start_ticks=started.start_ticks - 1))
    assert processes.is_alive(started)


@pytest.mark.parametrize("record", [None, "", '{"name": "sleeper"', '{"nothing": 1}'])
def test_a_process_whose_record_was_lost_is_found_by_its_environment(home: Home, record: str | None) -> None:
    started = marked(home)
    file = home.pids / "sleeper.json"
    file.unlink()
    if record is not None:
        file.write_text(record)
    found = processes.find("sleeper", home)
    assert found is not None
    assert (found.pid, found.start_ticks) == (started.pid, started.start_ticks)
    assert found.recipe == ""  # so that it is started anew


def test_another_homes_processes_are_not_ours(home: Home, tmp_path: Path) -> None:
    marked(home)
    assert processes.scan(Home(root=tmp_path / "hom")) == ()


def test_a_process_that_ignores_the_request_to_end_is_killed(home: Home) -> None:
    started = processes.start(Process(name="deaf", command=(sys.executable, "-c", DEAF)), home)
    assert processes.wait_until(lambda: "deaf" in processes.last_words("deaf", home), limit_seconds=20)
    processes.stop(started, limit_seconds=0.2)
    assert not processes.is_alive(started)


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen(["/bin/true"])
    end = time.monotonic() + 10
    while processes.start_ticks(child.pid) is not None and time.monotonic() < end:
        time.sleep(0.01)
    assert processes.start_ticks(child.pid) is None
    child.wait()


def test_a_program_that_is_not_there_is_named(home: Home) -> None:
    with pytest.raises(ProgramError, match=r"cannot start ghost \(/no/such\): No such file"):
        processes.start(Process(name="ghost", command=("/no/such",)), home)


def test_the_recipe_changes_with_command_files_and_program(tmp_path: Path) -> None:
    program, file = tmp_path / "program", tmp_path / "file"
    process = Process(name="x", command=(str(program), "a"), files=(file,))
    seen = {processes.recipe(process)}
    file.write_text("1")
    seen.add(processes.recipe(process))
    (tmp_path / "program.stamp").write_text("built")
    seen.add(processes.recipe(process))
    seen.add(processes.recipe(replace(process, command=(str(program), "b"))))
    assert len(seen) == 4


def test_only_path_home_and_mark_reach_the_process(home: Home) -> None:
    started = marked(home)
    text = Path(f"/proc/{started.pid}/environ").read_text()
    assert {line.split("=")[0] for line in text.split("\0") if line} == {"PATH", "HOME", "MODELOPS_PROCESS"}
