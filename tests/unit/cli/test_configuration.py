from datetime import UTC, datetime
from pathlib import Path

import pytest

from scheduler.cli import configuration
from scheduler.cli.configuration import Login
from scheduler.errors import InvalidInputError, NotFoundError, UnauthenticatedError

LOGIN = Login(
    url="http://10.217.16.9:8080",
    server_url="http://10.217.16.8:8080",
    environment="staging",
    account="modelops/ada",
    token="secret",
    expires="2026-01-31T10:00:00Z",
)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"MODELOPS_CONFIG": str(tmp_path / "new" / "config.json")}


def test_a_login_is_remembered_for_its_owner_only(environ: dict[str, str]) -> None:
    file = configuration.save(LOGIN, environ)
    assert configuration.load(environ) == LOGIN
    assert file.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in file.parent.iterdir()] == ["config.json"]


def test_a_later_login_replaces_it(environ: dict[str, str]) -> None:
    configuration.save(LOGIN, environ).chmod(0o644)
    file = configuration.save(Login(token="other"), environ)
    assert configuration.load(environ) == Login(token="other")
    assert file.stat().st_mode & 0o777 == 0o600


def test_nobody_is_logged_in_at_first(environ: dict[str, str]) -> None:
    assert configuration.load(environ) == Login()


def test_a_damaged_file_is_named(environ: dict[str, str]) -> None:
    file = configuration.save(LOGIN, environ)
    file.write_text("{")
    with pytest.raises(InvalidInputError, match="`modelops login` writes it anew"):
        configuration.load(environ)


def test_fields_of_a_later_version_do_no_harm(environ: dict[str, str]) -> None:
    configuration.save(LOGIN, environ).write_text('{"url": "u", "colour": "blue"}')
    assert configuration.load(environ) == Login(url="u")


def test_the_environments_variables_win(environ: dict[str, str]) -> None:
    configuration.save(LOGIN, environ)
    found = configuration.effective({**environ, "MODELOPS_URL": "http://x", "MODELOPS_TOKEN": "mine"})
    assert (found.url, found.server_url, found.environment) == ("http://x", LOGIN.server_url, "staging")
    assert (found.token, found.expires, found.account) == ("mine", "", "")


def test_a_token_may_come_from_a_file(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert configuration.effective({**environ, "MODELOPS_TOKEN_FILE": str(tmp_path / "token")}).token == "from-file"
    with pytest.raises(NotFoundError, match="MODELOPS_TOKEN_FILE"):
        configuration.effective({**environ, "MODELOPS_TOKEN_FILE": str(tmp_path / "none")})


def test_an_expired_login_is_told_before_it_is_used() -> None:
    assert configuration.valid_token(LOGIN, datetime(2026, 1, 31, 9, 59, tzinfo=UTC)) == "secret"
    with pytest.raises(UnauthenticatedError, match="expired at 2026-01-31T10:00:00Z"):
        configuration.valid_token(LOGIN, datetime(2026, 1, 31, 10, 0, tzinfo=UTC))
    with pytest.raises(UnauthenticatedError, match="not logged in"):
        configuration.valid_token(Login(), datetime(2026, 1, 31, tzinfo=UTC))


def test_the_folder_is_the_users_own() -> None:
    assert configuration.path({"XDG_CONFIG_HOME": "/etc/xdg"}) == Path("/etc/xdg/modelops/config.json")
    assert configuration.path({}) == Path.home() / ".config" / "modelops" / "config.json"
