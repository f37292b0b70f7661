"""Where the API server is and what is shown to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.cluster import access
from scheduler.cluster.access import Token
from scheduler.errors import NotFoundError

ENVIRON = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    return tmp_path


def test_a_pod_shows_its_accounts_token_to_the_server_whose_certificate_it_knows(account: Path) -> None:
    found = access.in_pod(ENVIRON, account=account)

    assert found.host == "https://10.0.0.1:443"
    assert found.authorization() == "Bearer first"
    settings = found.pool.connection_pool_kw
    assert (settings["cert_reqs"], settings["ca_certs"]) == ("CERT_REQUIRED", str(account / "ca.crt"))


def test_an_address_of_version_6_is_put_in_brackets(account: Path) -> None:
    environ = {**ENVIRON, "KUBERNETES_SERVICE_HOST": "fd00::1"}

    assert access.in_pod(environ, account=account).host == "https://[fd00::1]:443"


@pytest.mark.parametrize("missing", [*ENVIRON, "token", "ca.crt", "content"])
def test_whoever_runs_in_no_pod_is_told_what_is_missing(account: Path, missing: str) -> None:
    environ = {key: value for key, value in ENVIRON.items() if key != missing}
    if missing == "content":
        (account / "token").write_text("\n")
    elif missing not in ENVIRON:
        (account / missing).unlink()

    with pytest.raises(NotFoundError, match="token: it is empty" if missing == "content" else missing):
        access.in_pod(environ, account=account)


def test_a_token_is_read_again_after_a_minute_and_kept_when_it_cannot_be(tmp_path: Path) -> None:
    now = [0.0]
    file = tmp_path / "token"
    file.write_text("first")
    token = Token(file, clock=lambda: now[0])

    assert token() == "Bearer first"
    file.write_text("second")
    now[0] = access.TOKEN_SECONDS - 1
    assert token() == "Bearer first"
    now[0] = access.TOKEN_SECONDS
    assert token() == "Bearer second"
    file.unlink()
    now[0] = 3 * access.TOKEN_SECONDS
    assert token() == "Bearer second"
    file.write_text("third")
    now[0] = 5 * access.TOKEN_SECONDS
    assert token() == "Bearer third"


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no usable kubeconfig in .*absent: .*; name one with --kubeconfig"):
        access.from_kubeconfig(tmp_path / "absent", context=None)


def test_programs_in_pods_do_not_import_the_official_client() -> None:
    code = "import sys, scheduler.tasks.__main__; sys.exit('kubernetes' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
