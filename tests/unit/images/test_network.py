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


def test_secrets_are_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates")
    written = network.secrets({"SSL_CERT_FILE": str(bundle), "PIP_CONFIG_FILE": "/does/not/exist"}, tmp_path)
    assert written["ca"] == bundle
    assert {name: path.stat().st_mode & 0o777 for name, path in written.items() if name != "ca"} == {
        "pip": 0o600,
        "apt": 0o600,
    }
