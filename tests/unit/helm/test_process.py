"""How the helm program is run: no shell, own session, ended gently. A script plays helm."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from pathlib import Path

import pytest

from scheduler.errors import ConflictError, ForbiddenError, NotFoundError, ProgramError, UnavailableError
from scheduler.helm import process
from scheduler.helm.pyhelm import HelmProgram


def script(folder: Path, body: str) -> str:
    path = folder / "helm"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def program(folder: Path, body: str, *, timeout_seconds: float = 20) -> HelmProgram:
    environ = {"PATH": os.environ["PATH"]}
    return HelmProgram(executable=script(folder, body), environ=environ, timeout_seconds=timeout_seconds)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("Error: uninstall: Release not loaded: a: release: not found", NotFoundError),
        ("Error: INSTALLATION FAILED: cannot re-use a name that is still in use", ConflictError),
        ("Error: Kubernetes cluster unreachable: dial tcp: connection refused", UnavailableError),
        (
            'Error: uninstall: secrets is forbidden: User "system:serviceaccount:a:b" cannot list resource',
            ForbiddenError,
        ),
        ('Error: pods "x" is forbidden: exceeded quota: jobs', ProgramError),
        ('Error: query: failed to query with labels: Get "x": net/http: TLS handshake timeout', UnavailableError),
    ],
)
def test_errors_are_told_apart_by_helms_words(tmp_path: Path, words: str, error: type[Exception]) -> None:
    helm = program(tmp_path, f"echo 'walk.go:75: found symbolic link' >&2; echo '{words}' >&2; exit 1")

    with pytest.raises(error) as failure:
        helm.uninstall("a", namespace="staging")

    assert type(failure.value) is error
    assert str(failure.value) == f"helm uninstall failed (exit code 1): {words}"


@pytest.mark.parametrize("why", ["connection refused", "no such host", "x509: unknown authority"])
def test_a_cluster_that_nobody_reaches_is_told_without_helms_words(tmp_path: Path, why: str) -> None:
    words = f'Error: Kubernetes cluster unreachable: Get "https://192.0.2.1:6443/version?timeout=32s": dial tcp: {why}'
    helm = program(tmp_path, f"echo '{words}' >&2; exit 1")

    with pytest.raises(UnavailableError) as failure:
        helm.uninstall("a", namespace="staging")

    assert str(failure.value) == f"the API server does not answer at https://192.0.2.1:6443: {why.rpartition(': ')[2]}"


def test_arguments_never_meet_a_shell(tmp_path: Path) -> None:
    helm = program(tmp_path, 'for a in "$@"; do echo "[$a]" >&2; done; exit 1')

    with pytest.raises(ProgramError) as failure:
        helm.uninstall("$(touch x); `id`", namespace="a b")

    assert failure.value.output.splitlines()[1:4] == ["[$(touch x); `id`]", "[--namespace]", "[a b]"]


def test_helm_is_in_a_session_of_its_own(tmp_path: Path) -> None:
    """Tekton signals the whole process group; helm must hear of it once, from us."""
    helm = program(tmp_path, "ps -o sid= -p $$")

    assert int(helm.version()) != os.getsid(0)


def test_terminate_asks_once_and_waits_for_what_helm_records(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded"
    body = f"""
        count=0
        trap 'count=$((count + 1))' TERM
        touch {tmp_path}/started
        while [ $count = 0 ]; do sleep 0.05; done
        sleep 0.5
        echo $count > {recorded}
        echo 'Error: context canceled' >&2
        exit 1
    """
    helm = program(tmp_path, body)

    def end() -> None:
        while not (tmp_path / "started").exists():
            time.sleep(0.02)
        helm.terminate()
        helm.terminate()

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(ProgramError, match="context canceled"):
        helm.uninstall("a", namespace="staging")
    thread.join()

    assert recorded.read_text().strip() == "1"


def test_a_signal_handler_may_terminate(tmp_path: Path) -> None:
    helm = program(
        tmp_path, f"trap 'echo ended >&2; exit 1' TERM; touch {tmp_path}/started; while :; do sleep 0.05; done"
    )
    before = signal.signal(signal.SIGTERM, lambda *_: helm.terminate())

    def end() -> None:
        while not (tmp_path / "started").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=end)
    thread.start()
    try:
        with pytest.raises(ProgramError, match="ended"):
            helm.uninstall("a", namespace="staging")
    finally:
        signal.signal(signal.SIGTERM, before)
        thread.join()


def test_a_helm_that_hears_nothing_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.3)
    helm = program(tmp_path, "trap '' TERM; exec sleep 30", timeout_seconds=0.3)

    with pytest.raises(ProgramError, match="signal 9"):
        helm.uninstall("a", namespace="staging")


def test_without_helm_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match=r"helm could not be started \(.*none: No such file or directory\)"):
        HelmProgram(executable=str(tmp_path / "none")).version()


def test_values_reach_helm_as_json_on_standard_input(tmp_path: Path) -> None:
    helm = program(tmp_path, "cat >&2; exit 1")

    with pytest.raises(ProgramError) as failure:
        helm.template("a", chart=tmp_path, values={"b": "1e3", "a": 1}, namespace="staging")

    assert failure.value.output == '{"a": 1, "b": "1e3"}'
