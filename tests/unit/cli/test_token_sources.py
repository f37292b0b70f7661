"""Where the command's tokens come from: a file, a program, an issuer; kept for their owner, and shown to nobody."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.cli import configuration, exec_plugin
from scheduler.cli.configuration import Login
from scheduler.cli.credentials import Credentials
from scheduler.devcluster import certificates
from scheduler.devcluster.addresses import Addresses
from scheduler.errors import InvalidInputError, NotFoundError, ProgramError, UnauthenticatedError
from tests.unit.cli.conftest import Platform, Run
from tests.unit.client import device_issuer
from tests.unit.client.device_issuer import DeviceIssuer, jwt_that_ends, pending

NOW = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
SERVERS = ("--url", "http://127.0.0.1:1", "--server-url", "http://127.0.0.1:2")
SECRET = "s3cr3t-t0ken"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"MODELOPS_CONFIG": str(tmp_path / "kept" / "config.json")}


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., str]:
    """A command whose program prints what it is given, and notes each time that it was called."""

    def make(status: dict[str, Any] | None = None, *, prints: str = "", code: int = 0) -> str:
        about = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
        program = tmp_path / "plug in.py"
        program.write_text(
            "import os, pathlib, sys\n"
            f"calls = pathlib.Path({str(tmp_path / 'calls')!r})\n"
            "calls.open('a').write(os.environ['KUBERNETES_EXEC_INFO'] + chr(10))\n"
            f"print({prints or json.dumps(about)!r})\n"
            f"sys.exit({code})\n"
        )
        return f"{sys.executable} '{program}' --audience scoring"

    return make


def calls(tmp_path: Path) -> list[dict[str, Any]]:
    file = tmp_path / "calls"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def test_a_program_is_asked_as_kubectl_asks_it(plugin: Callable[..., str], tmp_path: Path) -> None:
    found = exec_plugin.credential(plugin({"token": f" {SECRET}\n", "expirationTimestamp": "2026-01-31T11:00:00Z"}))
    assert (found.value, found.expires) == (SECRET, "2026-01-31T11:00:00Z")
    (asked,) = calls(tmp_path)
    assert asked == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }


@pytest.mark.parametrize(
    ("status", "more", "says"),
    [
        ({"token": SECRET}, {"code": 3}, "ended with 3"),
        (None, {"prints": SECRET}, "not JSON"),
        (None, {"prints": json.dumps({"token": SECRET})}, "no ExecCredential"),
        (None, {"prints": json.dumps([SECRET])}, "no ExecCredential"),
        ({"clientCertificateData": SECRET}, {}, "without status.token"),
        ([SECRET], {}, "without status.token"),
        ({"token": f"{SECRET}\n{SECRET}"}, {}, "holds a line end"),
        ({"token": f"\ufeff{SECRET}"}, {}, "printable ASCII"),
        ({"token": SECRET, "expirationTimestamp": f"soon {SECRET}"}, {}, "no RFC 3339 time"),
        ({"token": SECRET, "expirationTimestamp": "2026-01-31T11:00:00"}, {}, "no RFC 3339 time"),
    ],
)
def test_a_program_that_gives_no_token_is_told_without_what_it_printed(
    plugin: Callable[..., str], status: Any, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(ProgramError, match=says) as found:
        exec_plugin.credential(plugin(status, **more))
    assert SECRET not in str(found.value)
    assert found.value.__cause__ is None


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFoundError, match="no program 'not-there-at-all'"):
        exec_plugin.credential("not-there-at-all --x")
    with pytest.raises(InvalidInputError, match="names no program"):
        exec_plugin.credential(" ")
    with pytest.raises(InvalidInputError, match="--exec"):
        exec_plugin.credential("one 'two")


def test_a_programs_token_is_kept_until_it_ends(
    plugin: Callable[..., str], environ: dict[str, str], tmp_path: Path
) -> None:
    command = plugin({"token": SECRET, "expirationTimestamp": "2026-01-31T11:00:00Z"})
    file = configuration.save(Login(exec=command, url="http://kept"), environ)
    for _ in range(3):
        assert Credentials(environ, now=at(NOW)).token() == SECRET
    assert len(calls(tmp_path)) == 1
    assert configuration.load(environ).url == "http://kept"
    assert file.stat().st_mode & 0o777 == 0o600
    Credentials(environ, now=at(NOW + timedelta(minutes=59, seconds=50))).token()
    assert len(calls(tmp_path)) == 2


def test_a_programs_token_without_an_end_is_good_for_one_command(
    plugin: Callable[..., str], environ: dict[str, str], tmp_path: Path
) -> None:
    file = configuration.save(Login(exec=plugin({"token": SECRET})), environ)
    source = Credentials(environ, now=at(NOW))
    assert [source.token(), source.token()] == [SECRET, SECRET]
    assert len(calls(tmp_path)) == 1
    assert SECRET not in file.read_text()
    assert Credentials(environ, now=at(NOW)).token() == SECRET
    assert len(calls(tmp_path)) == 2


def test_a_token_file_is_read_before_each_request(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "token"
    configuration.save(Login(token_file=str(file)), environ)
    source = Credentials(environ)
    for value in ("first", "second"):
        file.write_text(f"{value}\n")
        assert source.token() == value
    file.write_text("")
    with pytest.raises(UnauthenticatedError, match="is empty"):
        source.token()
    file.unlink()
    with pytest.raises(NotFoundError, match="cannot be read"):
        source.token()


@pytest.mark.parametrize(
    "content", [f"{SECRET}\n{SECRET}".encode(), f"\ufeff{SECRET}".encode(), b"\xff\xfe" + SECRET.encode()]
)
def test_what_is_no_token_is_never_repeated(
    run: Run, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    results = [run("login", "--token-file", str(file), *SERVERS)]
    monkeypatch.delenv("MODELOPS_TOKEN")
    monkeypatch.setenv("MODELOPS_TOKEN_FILE", str(file))
    results.append(run("job", "list"))
    monkeypatch.setenv("MODELOPS_TOKEN", os.fsdecode(content))
    results.append(run("job", "list"))
    for result in results:
        assert result.code == 6, result.err
        assert "it holds a line end" in " ".join(result.err.split())
        assert SECRET not in result.out + result.err
        assert "Traceback" not in result.err


def test_space_around_a_given_token_is_none_of_it(
    run: Run, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = next(iter(platform.world.cluster.tokens))
    monkeypatch.setenv("MODELOPS_TOKEN", f" {token}\n")
    assert run("job", "list").code == 0


def test_a_login_that_cannot_be_kept_says_where_it_could_be(
    run: Run, plugin: Callable[..., str], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELOPS_CONFIG", "/proc/nope/c.json")
    result = run("login", "--exec", plugin({"token": SECRET}), *SERVERS)
    assert result.code == 3, result.err
    words = " ".join(result.err.split())
    assert "/proc/nope/c.json" in words
    assert "name another file in MODELOPS_CONFIG" in words
    assert SECRET not in result.err


def test_a_token_that_cannot_be_kept_is_good_all_the_same(
    plugin: Callable[..., str], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.save(Login(exec=plugin({"token": SECRET, "expirationTimestamp": "2026-01-31T11:00:00Z"})), environ)

    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(Path, "replace", full)
    assert Credentials(environ, now=at(NOW)).token() == SECRET


def test_a_given_token_comes_before_every_source(
    plugin: Callable[..., str], environ: dict[str, str], tmp_path: Path
) -> None:
    configuration.save(Login(exec=plugin({"token": "other"}), token_file="/none", refresh_token="r"), environ)
    assert Credentials({**environ, "MODELOPS_TOKEN": "mine"}).token() == "mine"
    assert calls(tmp_path) == []


@pytest.fixture
def far() -> Iterator[DeviceIssuer]:
    with device_issuer.serving() as found:
        yield found


def test_an_issuers_login_is_refreshed_when_its_token_ends(far: DeviceIssuer, environ: dict[str, str]) -> None:
    soon = (NOW + timedelta(seconds=10)).isoformat()
    login = Login(oidc_issuer=far.url, client_id="scoring", token="old", expires=soon, refresh_token="r1")
    configuration.save(login, environ)
    later = jwt_that_ends(int(NOW.timestamp()) + 3600)
    far.answers = [(200, {"id_token": later, "refresh_token": "r2"})]
    source = Credentials(environ, now=at(NOW))
    assert [source.token(), source.token()] == [later, later]
    assert [path for path, _ in far.asked].count("/token") == 1
    assert configuration.load(environ).refresh_token == "r2"
    assert Credentials(environ, now=at(NOW - timedelta(hours=1))).token() == later


def test_an_issuers_login_without_refreshing_ends(far: DeviceIssuer, environ: dict[str, str]) -> None:
    login = Login(oidc_issuer=far.url, client_id="scoring", token="old", expires=NOW.isoformat())
    configuration.save(login, environ)
    with pytest.raises(UnauthenticatedError, match="has expired"):
        Credentials(environ, now=at(NOW)).token()


def test_a_login_by_device_shows_the_code_and_no_token(run: Run, far: DeviceIssuer, tmp_path: Path) -> None:
    code = {"device_code": "secret-device-code", "user_code": "WDJB-MJHT", "expires_in": 60, "interval": 0}
    far.begun = 200, {**code, "verification_uri": f"{far.url}/activate"}
    token = jwt_that_ends(4_000_000_000)
    far.answers = [pending(), (200, {"id_token": token, "refresh_token": SECRET})]
    result = run("login", "--oidc-issuer", far.url, "--client-id", "scoring", *SERVERS, "-o", "json")
    assert result.code == 0, result.err
    assert f"open {far.url}/activate in a browser and enter the code WDJB-MJHT" in result.err
    shown = json.loads(result.out)
    assert (shown["oidcIssuer"], shown["clientId"], shown["url"]) == (far.url, "scoring", "http://127.0.0.1:1")
    kept = tmp_path / "config" / "config.json"
    assert json.loads(kept.read_text())["token"] == token
    assert kept.stat().st_mode & 0o777 == 0o600
    for secret in (token, SECRET, "secret-device-code"):
        assert secret not in result.out + result.err


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """Its certificates stand beside it."""
    folder = tmp_path / "pki"
    certificates.write(folder, Addresses())
    return folder / "ca.crt"


@pytest.fixture
def private(authority: Path) -> Iterator[DeviceIssuer]:
    """An issuer whose certificate only its own authority vouches for."""
    with device_issuer.serving(authority.with_name("kube-scheduler.crt")) as found:
        code = {"device_code": "secret-device-code", "user_code": "WDJB-MJHT", "expires_in": 60, "interval": 0}
        found.begun = 200, {**code, "verification_uri": f"{found.url}/activate"}
        found.answers = [(200, {"id_token": jwt_that_ends(int(NOW.timestamp())), "refresh_token": SECRET})]
        yield found


def test_an_issuer_is_trusted_by_an_authority_of_ones_own_and_stays_so(
    run: Run, private: DeviceIssuer, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(authority.parent)
    words = ("login", "--oidc-issuer", private.url, "--client-id", "scoring", *SERVERS)
    result = run(*words, "--certificate-authority", authority.name, "-o", "json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["certificateAuthority"] == str(authority)

    monkeypatch.chdir(tmp_path)
    later = jwt_that_ends(4_000_000_000)
    private.answers = [(200, {"id_token": later})]
    kept = {"MODELOPS_CONFIG": str(tmp_path / "config" / "config.json")}
    assert Credentials(kept, now=at(NOW)).token() == later


def test_an_issuer_that_is_not_trusted_is_told_with_the_remedy(run: Run, private: DeviceIssuer) -> None:
    result = run("login", "--oidc-issuer", private.url, "--client-id", "scoring", *SERVERS)
    assert (result.code, private.asked) == (8, [])
    assert "--certificate-authority" in result.err


def test_an_authority_that_is_none_is_refused(run: Run, authority: Path) -> None:
    words = ("login", "--oidc-issuer", "https://login.example.com", "--client-id", "scoring", *SERVERS)
    for file, code, says in ((authority.with_suffix(".key"), 3, "no PEM certificates"), (Path("no.pem"), 4, "no.pem")):
        result = run(*words, "--certificate-authority", str(file))
        assert (result.code, says in " ".join(result.err.split())) == (code, True), result.err


def test_a_login_by_program_or_file_tries_it_and_shows_no_token(
    run: Run, plugin: Callable[..., str], tmp_path: Path
) -> None:
    by_program = run("login", "--exec", plugin({"token": SECRET}), *SERVERS)
    (tmp_path / "token").write_text(SECRET)
    by_file = run("login", "--token-file", str(tmp_path / "token"), *SERVERS)
    assert (by_program.code, by_file.code) == (0, 0)
    assert sys.executable.rsplit("/", 1)[1] in by_program.out.replace("\n", "")
    assert "--audience" not in by_program.out, "arguments may be secrets"
    assert SECRET not in by_program.out + by_program.err + by_file.out + by_file.err
    assert SECRET not in (tmp_path / "config" / "config.json").read_text()
    assert run("login", "--token-file", str(tmp_path / "none"), *SERVERS).code == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "give one of them"),
        (("--account", "a", "--exec", "b"), "not --account and --exec"),
        (("--oidc-issuer", "https://x"), "each needs the other"),
        (("--client-id", "x", "--account", "a"), "each needs the other"),
        (("--account", "a", "--certificate-authority", "ca.pem"), "it is of an --oidc-issuer"),
        (("--oidc-issuer", "http://login.example.com", "--client-id", "c"), "is no https URL"),
    ],
)
def test_a_login_has_one_source_and_all_that_it_needs(run: Run, words: tuple[str, ...], says: str) -> None:
    result = run("login", *words, *SERVERS)
    assert (result.code, says in " ".join(result.err.split())) == (3, True), result.err


def test_commands_go_by_the_login_whatever_its_source(
    run: Run, platform: Platform, plugin: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = next(iter(platform.world.cluster.tokens))
    monkeypatch.delenv("MODELOPS_TOKEN")
    assert run("job", "list").code == 6
    servers = ("--url", platform.url, "--server-url", platform.server_url)
    assert run("login", "--exec", plugin({"token": token}), *servers).code == 0
    found = run("job", "list", "-o", "json")
    assert (found.code, found.err) == (0, "")
