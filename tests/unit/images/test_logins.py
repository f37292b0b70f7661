"""Docker configuration files."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from scheduler.errors import InvalidInputError
from scheduler.images import logins
from scheduler.images.logins import Login


def _file(folder: Path, document: object, name: str = "config.json") -> Path:
    file = folder / name
    file.write_text(json.dumps(document))
    return file


def test_every_way_to_write_a_login_is_read(tmp_path: Path) -> None:
    auths = {
        "10.217.0.1:5000": {"auth": base64.b64encode(b"a:b:c").decode()},
        "https://index.docker.io/v1/": {"username": "u", "password": "p"},
        "registry.example.com": {"identitytoken": "t"},
        "nothing.example.com": {},
        "r.example/acme": {"auth": base64.b64encode(b"c:d").decode()},
    }
    assert logins.load(_file(tmp_path, {"auths": auths})) == {
        "10.217.0.1:5000": Login(user="a", password="b:c"),
        "docker.io": Login(user="u", password="p"),
        "registry.example.com": Login(user="", identity_token="t"),
        "r.example/acme": Login(user="c", password="d"),
    }


@pytest.mark.parametrize("document", [[], {"auths": {"a": {"auth": "%"}}}, {"auths": [1]}])
def test_what_is_no_docker_configuration_is_refused(tmp_path: Path, document: object) -> None:
    with pytest.raises(InvalidInputError, match="no docker configuration"):
        logins.load(_file(tmp_path, document))


@pytest.mark.parametrize("name", [".dockerconfigjson", "config.json"])
def test_the_file_is_found_in_a_secrets_folder(tmp_path: Path, name: str) -> None:
    assert logins.find(tmp_path) is None
    assert logins.load(logins.find(tmp_path)) == {}
    file = _file(tmp_path, {}, name)
    assert logins.find(tmp_path) == file


def test_a_login_does_not_show_its_secrets() -> None:
    assert "canary" not in repr(Login(user="u", password="canary", identity_token="canary"))
