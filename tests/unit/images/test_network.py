import base64
import configparser
from pathlib import Path

from scheduler.images import network


def _global(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return dict(parser["global"])


def test_the_machines_pip_settings_go_along_and_its_paths_do_not() -> None:
    files = {"a": "[global]\nindex-url = https://one.example.com\ntimeout = 5\ncert = /here/ca.pem\n"}
    environ = {"PIP_INDEX_URL": "https://two.example.com", "PIP_FIND_LINKS": "/here/wheels", "PATH": "/bin"}
    assert _global(network.pip_configuration(environ, files, has_ca=True)) == {
        "index-url": "https://two.example.com",
        "timeout": "5",
        "cert": "/run/secrets/ca",
    }


def test_without_settings_nothing_is_set() -> None:
    assert _global(network.pip_configuration({}, {}, has_ca=False)) == {}


def test_apt_learns_proxies_and_certificates() -> None:
    text = network.apt_configuration({"https_proxy": "http://proxy.example.com:3128"}, has_ca=True)
    assert 'Acquire::https::Proxy "http://proxy.example.com:3128";' in text
    assert 'Acquire::https::CAInfo "/run/secrets/ca";' in text


def test_the_machines_settings_are_written_as_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates")
    environ = {"SSL_CERT_FILE": str(bundle), "PIP_CONFIG_FILE": "/does/not/exist", "GOPROXY": "direct", "GOENV": "off"}
    folder = tmp_path / "settings"
    folder.mkdir()
    network.write(network.machine(environ), folder)
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == dict.fromkeys(
        ("apt", "ca", "go", "pip"), 0o600
    )
    assert (folder / "ca").read_text() == "certificates"
    assert set(network.secrets(folder)) == {"apt", "ca", "pip"}


def test_go_learns_where_modules_are_and_nothing_else_of_the_machine() -> None:
    file = "GOPROXY=https://one.example.com\nGOBIN=/here\nGOFLAGS=-mod=mod\n"
    assert network.go_settings({"GOSUMDB": "off"}, file) == "GOPROXY=https://one.example.com\nGOSUMDB=off\n"
    assert network.go_settings({"GOPROXY": "direct"}, file) == "GOPROXY=direct\n"


def test_the_settings_as_a_secret_hold_no_path_of_the_machine(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates")
    found = network.machine({"SSL_CERT_FILE": str(bundle), "PIP_CACHE_DIR": str(tmp_path)})
    made = network.manifest(found, name="settings", namespace="builds")
    assert made["metadata"] == {"name": "settings", "namespace": "builds"}
    texts = {key: base64.b64decode(text).decode() for key, text in made["data"].items()}
    assert texts == found
    assert str(tmp_path) not in "".join(texts.values())
