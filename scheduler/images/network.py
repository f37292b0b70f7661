"""What builds need to reach package archives from here: settings that no layer of an image keeps.

`pip` (a pip configuration), `apt` (an apt configuration) and `ca` (a bundle of certificates) are given to RUN steps as
secrets below /run/secrets; a Containerfile uses those that are there and works without them. `go` (KEY=value lines) is
for compiling. In the cluster they are a Secret's files, written from a machine's by `modelops images settings`.
"""

from __future__ import annotations

import base64
import configparser
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scheduler.model.types import Manifest

CA: Final = "/run/secrets/ca"
SECRETS: Final = ("pip", "apt", "ca")
"""What RUN steps are given."""
GO_KEYS: Final = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE")
_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_PIP_FILES: Final = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
_GO_FILE: Final = "~/.config/go/env"
_PIP_LOCAL: Final = frozenset({"cert", "find-links", "client-cert", "cache-dir", "config-file", "require-virtualenv"})
"""Settings that name paths of this machine, or concern its own installations only."""


def machine(environ: Mapping[str, str]) -> Mapping[str, str]:
    """This machine's own settings by name, without its paths; those that say nothing are left out."""
    bundle = ca_bundle(environ)
    texts = {
        "pip": pip_configuration(environ, _pip_files(environ), has_ca=bundle is not None),
        "apt": apt_configuration(environ, has_ca=bundle is not None),
        "go": go_settings(environ, _text(environ.get("GOENV") or _GO_FILE)),
        "ca": bundle.read_text() if bundle else "",
    }
    return {name: text for name, text in texts.items() if text}


def write(settings: Mapping[str, str], folder: Path) -> None:
    """The settings as files below `folder` (0600)."""
    for name, text in settings.items():
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(text)


def secrets(folder: Path) -> Mapping[str, Path]:
    """What of a folder of settings RUN steps are given: secret name -> file."""
    return {name: folder / name for name in SECRETS if (folder / name).is_file()}


def manifest(settings: Mapping[str, str], *, name: str, namespace: str) -> Manifest:
    """The Secret that builds in the cluster mount."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "type": "Opaque",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in settings.items()},
    }


def pip_environ(folder: Path) -> Mapping[str, str]:
    """What a pip that runs beside the settings, and not in a RUN step, is given."""
    found = {"PIP_CONFIG_FILE": folder / "pip", "PIP_CERT": folder / "ca"}
    return {key: str(file) for key, file in found.items() if file.is_file()}


def compiler_environ(folder: Path) -> Mapping[str, str]:
    """What a Go that runs beside the settings is given."""
    given = dict(go_environ(_text(str(folder / "go"))))
    return given | ({"SSL_CERT_FILE": str(folder / "ca")} if (folder / "ca").is_file() else {})


def go_environ(text: str) -> Mapping[str, str]:
    """The variables in KEY=value lines; empty lines and those that begin with # are passed over.

    >>> go_environ("# ours\\nGOPROXY=https://go.example.com,direct\\n")
    {'GOPROXY': 'https://go.example.com,direct'}
    """
    lines = [line.strip() for line in text.splitlines()]
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def go_settings(environ: Mapping[str, str], file: str) -> str:
    """Where modules come from, as Go's own file says and the environment overrides."""
    settings = {**go_environ(file), **{key: environ[key] for key in GO_KEYS if environ.get(key)}}
    return "".join(f"{key}={settings[key]}\n" for key in GO_KEYS if settings.get(key))


def ca_bundle(environ: Mapping[str, str]) -> Path | None:
    """The certificates that this machine's programs trust; None when there is no bundle."""
    found = (Path(name) for name in (environ.get("SSL_CERT_FILE", ""), *_BUNDLES) if name)
    return next((path for path in found if path.is_file()), None)


def pip_configuration(environ: Mapping[str, str], files: Mapping[str, str], *, has_ca: bool) -> str:
    """The machine's own pip settings (configuration files, then PIP_* variables), paths of the machine left out."""
    settings: dict[str, str] = {}
    for text in files.values():
        parser = configparser.RawConfigParser()
        parser.read_string(text)
        for section in ("global", "install"):
            if parser.has_section(section):
                settings.update(parser.items(section))
    settings |= {key[4:].lower().replace("_", "-"): value for key, value in environ.items() if key.startswith("PIP_")}
    kept = {key: value for key, value in sorted(settings.items()) if key not in _PIP_LOCAL and value}
    if has_ca:
        kept["cert"] = CA
    result = configparser.RawConfigParser()
    result["global"] = kept
    written = io.StringIO()
    result.write(written)
    return written.getvalue()


def apt_configuration(environ: Mapping[str, str], *, has_ca: bool) -> str:
    """Proxies of the environment, and the certificates that HTTPS mirrors are checked with."""
    lines = ['Acquire::Retries "3";']
    for scheme in ("http", "https"):
        proxy = environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY")
        if proxy:
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    if has_ca:
        lines.append(f'Acquire::https::CAInfo "{CA}";')
    return "\n".join([*lines, ""])


def _pip_files(environ: Mapping[str, str]) -> Mapping[str, str]:
    paths = [environ.get("PIP_CONFIG_FILE", ""), *_PIP_FILES]
    found = [Path(path).expanduser() for path in paths if path]
    return {str(path): path.read_text() for path in reversed(found) if path.is_file()}


def _text(path: str) -> str:
    file = Path(path).expanduser()
    return file.read_text() if file.is_file() else ""
