"""Certificates: made once, repaired when they do not fit."""

from __future__ import annotations

import base64
import shutil
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from scheduler.devcluster import certificates
from scheduler.devcluster.addresses import Addresses

WHERE = Addresses()
ALL = ("ca", "service-accounts", *(subject.name for subject in certificates.subjects(WHERE)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    assert certificates.write(folder, WHERE) == ALL
    return folder


@pytest.fixture
def pki(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "pki"))


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_second_call_changes_nothing(pki: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in pki.iterdir()}
    assert certificates.write(pki, WHERE) == ()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in pki.iterdir()} == before


def test_nobody_but_the_owner_may_read_any_of_it(pki: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in pki.iterdir()} == {0o600}


def test_the_authority_may_sign_and_says_so(pki: Path) -> None:
    authority = load(pki / "ca.crt")
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.ca
    assert authority.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


@pytest.mark.parametrize("name", ALL[2:])
def test_every_certificate_is_signed_by_the_authority_and_is_none_itself(pki: Path, name: str) -> None:
    certificate = load(pki / f"{name}.crt")
    certificate.verify_directly_issued_by(load(pki / "ca.crt"))
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_api_server_is_known_by_every_name_it_is_called(pki: Path) -> None:
    names = load(pki / "kube-apiserver.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    assert {WHERE.gateway, WHERE.kubernetes_service} <= set(names.get_values_for_type(x509.IPAddress))


def test_another_network_makes_anew_only_what_names_its_addresses(pki: Path) -> None:
    assert certificates.write(pki, Addresses(network=IPv4Network("10.99.0.0/16"))) == ("kube-apiserver", "kubelet")


def test_what_expires_within_a_month_is_made_anew(pki: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=340)
    assert certificates.write(pki, WHERE, now=soon) == ALL[2:]


def test_a_key_that_does_not_fit_its_certificate_is_repaired(pki: Path) -> None:
    (pki / "etcd.key").write_bytes((pki / "admin.key").read_bytes())
    assert certificates.write(pki, WHERE) == ("etcd",)


def test_a_new_authority_signs_everything_anew(pki: Path) -> None:
    (pki / "ca.crt").unlink()
    assert certificates.write(pki, WHERE) == ("ca", *ALL[2:])


def test_a_certificate_of_an_older_authority_is_repaired(pki: Path, tmp_path: Path) -> None:
    certificates.write(tmp_path / "other", WHERE)
    for name in ("etcd.crt", "etcd.key"):
        shutil.copy2(tmp_path / "other" / name, pki / name)
    assert certificates.write(pki, WHERE) == ("etcd",)


def test_a_kubeconfig_holds_all_it_needs(pki: Path) -> None:
    document = yaml.safe_load((pki / "admin.kubeconfig").read_text())
    assert document["clusters"][0]["cluster"]["server"] == "https://10.217.0.1:16443"
    user = document["users"][0]["user"]
    assert base64.b64decode(user["client-certificate-data"]) == (pki / "admin.crt").read_bytes()
