"""What a RUN step needs to reach package archives from here, given to it as secrets that no layer keeps.

`pip` (a pip configuration), `apt` (an apt configuration) and `ca` (a bundle of certificates) are mounted below
/run/secrets; a Containerfile uses those that are there and works without them.
"""

from __future__ import annotations

import configparser
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final

CA: Final = "/run/secrets/ca"
_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_PIP_FILES: Final = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
_PIP_LOCAL: Final = frozenset({"cert", "find-links", "client-cert", "cache-dir", "config-file", "require-virtualenv"})
"""Settings that name paths of this machine, or concern its own installations only."""


def secrets(environ: Mapping[str, str], folder: Path) -> Mapping[str, Path]:
    """Secret name -> file, written below `folder` (0600)."""
    bundle = ca_bundle(environ)
    texts = {
        "pip": pip_configuration(environ, _pip_files(environ), has_ca=bundle is not None),
        "apt": apt_configuration(environ, has_ca=bundle is not None),
    }
    written: dict[str, Path] = {"ca": bundle} if bundle else {}
    for name, text in texts.items():
        written[name] = folder / name
        written[name].touch(mode=0o600)
        written[name].write_text(text)
    return written


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
