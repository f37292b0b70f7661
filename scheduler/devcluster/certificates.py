"""The cluster's certificate authority, its certificates and kubeconfigs.

Made once and kept: a second call finds them and changes nothing; a certificate that has less than a month left, or was
made for other addresses, is made anew. The authority lives ten years, certificates one.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from scheduler.devcluster import addresses
from scheduler.devcluster.addresses import Addresses

AUTHORITY: Final = "ca"
SERVICE_ACCOUNTS: Final = "service-accounts"
_AUTHORITY_LIFE: Final = timedelta(days=3650)
_LIFE: Final = timedelta(days=365)
_RENEW_BEFORE: Final = timedelta(days=30)

_Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One certificate: `<name>.crt` and `<name>.key` below the pki folder, valid as client and as server."""

    name: str
    user: str
    """Common name: the user that Kubernetes sees."""
    groups: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    hosts: tuple[IPv4Address, ...] = ()
    kubeconfig: bool = False
    """Whether `<name>.kubeconfig` is written beside it."""


def subjects(where: Addresses) -> tuple[Subject, ...]:
    """Every certificate of the cluster."""
    loopback = IPv4Address(addresses.LOOPBACK)
    service = "kubernetes.default.svc"
    local = {"names": ("localhost",), "hosts": (loopback,), "kubeconfig": True}
    return (
        Subject(name="admin", user="modelops-admin", groups=("system:masters",), kubeconfig=True),
        Subject(name="etcd", user="etcd", names=("localhost",), hosts=(loopback,)),
        Subject(
            name="kube-apiserver",
            user="kube-apiserver",
            groups=("system:masters",),
            names=("localhost", "kubernetes", "kubernetes.default", service, f"{service}.{addresses.DOMAIN}"),
            hosts=(loopback, where.gateway, where.kubernetes_service),
        ),
        Subject(name="kube-controller-manager", user="system:kube-controller-manager", **local),  # type: ignore[arg-type]
        Subject(name="kube-scheduler", user="system:kube-scheduler", **local),  # type: ignore[arg-type]
        Subject(
            name="kubelet",
            user=f"system:node:{addresses.NODE}",
            groups=("system:nodes",),
            names=(addresses.NODE,),
            hosts=(where.gateway,),
            kubeconfig=True,
        ),
        Subject(name="kube-proxy", user="system:kube-proxy", kubeconfig=True),
        Subject(name="coredns", user="modelops:coredns", kubeconfig=True),
        Subject(name="netpol", user="modelops:netpol", kubeconfig=True),
    )


def write(folder: Path, where: Addresses, *, now: datetime | None = None) -> tuple[str, ...]:
    """Make what is missing, expiring or made for other addresses; the names of what was made."""
    moment = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = []
    authority = folder / f"{AUTHORITY}.crt"
    fresh = not authority.exists() or not _is_current(authority, moment)
    if fresh:
        _write_authority(folder, moment)
        made.append(AUTHORITY)
    if not (folder / f"{SERVICE_ACCOUNTS}.key").exists():
        _write_service_account_keys(folder)
        made.append(SERVICE_ACCOUNTS)
    for subject in subjects(where):
        if fresh or not _is_valid(folder, subject, moment):
            _write_certificate(folder, subject, moment)
            made.append(subject.name)
        if subject.kubeconfig:
            text = kubeconfig(folder, subject.name, server=where.api_server)
            _write(folder / f"{subject.name}.kubeconfig", text.encode())
    return tuple(made)


def kubeconfig(folder: Path, name: str, *, server: str) -> str:
    """A kubeconfig that holds the certificates themselves, so that it may be copied anywhere."""

    def encoded(file: str) -> str:
        return base64.b64encode((folder / file).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": encoded(f"{AUTHORITY}.crt")}
    user = {"client-certificate-data": encoded(f"{name}.crt"), "client-key-data": encoded(f"{name}.key")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "modelops", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "modelops", "context": {"cluster": "modelops", "user": name}}],
        "current-context": "modelops",
    }
    return yaml.safe_dump(document, sort_keys=False)


def _is_current(certificate: Path, moment: datetime) -> bool:
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    return loaded.not_valid_after_utc - moment > _RENEW_BEFORE


def _is_valid(folder: Path, subject: Subject, moment: datetime) -> bool:
    certificate, key = folder / f"{subject.name}.crt", folder / f"{subject.name}.key"
    if not certificate.exists() or not key.exists():
        return False
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    same_subject = loaded.subject == _distinguished(subject.user, subject.groups)
    same_names = _found_names(loaded) == _alternative_names(subject)
    return same_subject and same_names and _is_current(certificate, moment) and _belong_together(folder, loaded, key)


def _found_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _belong_together(folder: Path, certificate: x509.Certificate, key: Path) -> bool:
    """Whether authority, certificate and key fit: a kill between two writes leaves a pair that does not."""
    authority = x509.load_pem_x509_certificate((folder / f"{AUTHORITY}.crt").read_bytes())
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError):
        return False
    return private.public_key() == certificate.public_key()


def _write_authority(folder: Path, moment: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _distinguished("modelops local cluster", ())
    # Python 3.13's TLS refuses an authority without keyUsage and a critical basicConstraints.
    certificate = (
        _builder(name, name, key.public_key(), moment, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_pair(folder, AUTHORITY, key, certificate)


def _write_certificate(folder: Path, subject: Subject, moment: datetime) -> None:
    authority = x509.load_pem_x509_certificate((folder / f"{AUTHORITY}.crt").read_bytes())
    signer = serialization.load_pem_private_key((folder / f"{AUTHORITY}.key").read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{folder / AUTHORITY}.key was not written by this program")
    key = ec.generate_private_key(ec.SECP256R1())
    name = _distinguished(subject.user, subject.groups)
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = (
        _builder(name, authority.subject, key.public_key(), moment, _LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if alternative := _alternative_names(subject):
        builder = builder.add_extension(alternative, critical=False)
    _write_pair(folder, subject.name, key, builder.sign(signer, hashes.SHA256()))


def _write_service_account_keys(folder: Path) -> None:
    # RSA, because every OIDC client knows RS256.
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write(folder / f"{SERVICE_ACCOUNTS}.pub", public)
    _write(folder / f"{SERVICE_ACCOUNTS}.key", _private(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, moment: datetime, life: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    # An hour back: a clock that is set a little later would otherwise refuse a certificate made just now.
    valid = builder.not_valid_before(moment - timedelta(hours=1)).not_valid_after(moment + life)
    return valid.serial_number(x509.random_serial_number())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not is_authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _distinguished(user: str, groups: Sequence[str]) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _alternative_names(subject: Subject) -> x509.SubjectAlternativeName | None:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in subject.names]
    names += [x509.IPAddress(host) for host in subject.hosts]
    return x509.SubjectAlternativeName(names) if names else None


def _private(key: _Key | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_pair(folder: Path, name: str, key: _Key, certificate: x509.Certificate) -> None:
    _write(folder / f"{name}.key", _private(key))
    _write(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    """Replace the file at once, readable by its owner only: a kill leaves the old one or the new one."""
    if path.exists() and path.read_bytes() == content:
        return
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    part.replace(path)
