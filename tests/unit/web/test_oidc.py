"""Tokens of an OpenID Connect issuer: whose they are, and that nothing else is one."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from scheduler.errors import InvalidInputError
from scheduler.settings import OidcSettings
from scheduler.web.oidc import checks
from scheduler.web.oidc import issuer as oidc
from scheduler.web.oidc.issuer import OidcIssuer
from tests.unit.web.local_issuer import SETTINGS, URL, LocalIssuer, jwk, private, unsigned


@pytest.fixture
def far() -> LocalIssuer:
    return LocalIssuer(keys=[jwk("rsa-1"), jwk("ec-1"), jwk("ed-1")])


@pytest.fixture
def ours(far: LocalIssuer) -> OidcIssuer:
    return far.issuer()


@pytest.mark.parametrize("key", ["rsa-1", "ec-1", "ed-1"])
def test_a_token_names_its_owner_and_their_groups(far: LocalIssuer, ours: OidcIssuer, key: str) -> None:
    token = far.token(key=key, groups=["science", "ops"])
    assert ours.has_issued(token)
    found = ours.caller(token)
    assert found is not None
    assert (found.name, found.groups) == ("oidc:ada", ("oidc:science", "oidc:ops", "system:authenticated"))
    assert (found.uid, dict(found.extra)) == ("", {})


def test_claims_and_prefixes_are_settings(far: LocalIssuer) -> None:
    settings = replace(
        SETTINGS, username_claim="email", username_prefix="corp/", groups_claim="roles", groups_prefix="corp/"
    )
    found = far.issuer(settings).caller(far.token(email="ada@example.com", roles="ops"))
    assert found is not None
    assert (found.name, found.groups) == ("corp/ada@example.com", ("corp/ops", "system:authenticated"))


@pytest.mark.parametrize(
    ("claims", "issued"),
    [
        ({}, True),
        ({"aud": ["other", "scoring"]}, True),
        ({"iss": URL + "/"}, False),
        ({"iss": None}, False),
        ({"aud": "modelops"}, False),
        ({"aud": None}, False),
        ({"aud": {"scoring": 1}}, False),
    ],
)
def test_what_a_token_says_of_itself_decides_who_verifies_it(
    far: LocalIssuer, ours: OidcIssuer, claims: dict[str, Any], *, issued: bool
) -> None:
    parts = {"iss": URL, "aud": "scoring", **claims}
    header = {"alg": "RS256", "kid": "rsa-1"}
    assert (
        ours.has_issued(unsigned(header, {key: value for key, value in parts.items() if value is not None})) is issued
    )


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", "é", "W10.W10.", "." * 9000, "e30." + "W1tb" * 4000 + ".x"])
def test_what_is_no_token_is_nobodys(far: LocalIssuer, ours: OidcIssuer, token: str) -> None:
    assert not ours.has_issued(token)
    assert ours.caller(token) is None
    assert not far.asked


NOW = int(time.time())


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"exp": NOW - 60},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": NOW + 3600},
        {"iat": NOW + 3600},
        {"sub": None},
        {"sub": ""},
        {"groups": {"a": 1}},
        {"groups": ["a", 1]},
        {"headers": {"kid": "rsa-9"}},
        {"headers": {"typ": "logout+jwt"}},
        {"headers": {"crit": ["b64"]}},
        {"key": "rsa-2", "headers": {"kid": "rsa-1"}},
        {"key": "ec-2", "headers": {"kid": "rsa-1"}},
        {"key": "ec-1", "headers": {"kid": "rsa-1"}},
    ],
    ids=str,
)
def test_a_token_that_is_wrong_in_one_way_is_nobodys(far: LocalIssuer, ours: OidcIssuer, wrong: dict[str, Any]) -> None:
    assert ours.caller(far.token(**wrong)) is None
    assert ours.caller(far.token()) is not None


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -10), ("nbf", 15), ("iat", 15)])
def test_clocks_may_differ_by_seconds(far: LocalIssuer, ours: OidcIssuer, claim: str, seconds: int) -> None:
    token = far.token(**{claim: int(time.time()) + seconds})  # type: ignore[arg-type]
    assert ours.caller(token) is not None


@pytest.mark.parametrize("name", ["none", "None", "NONE", "HS256", "HS512", ""])
def test_a_token_that_anybody_could_sign_is_nobodys(far: LocalIssuer, ours: OidcIssuer, name: str) -> None:
    """`none`, and HS* with the public key as the secret: every spelling of the key that an attacker may try."""
    claims = {"iss": URL, "aud": "scoring", "sub": "ada", "exp": NOW + 36_000}
    header = {"alg": name, "kid": "rsa-1", "typ": "JWT"}
    public = private("rsa-1").public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = unsigned(header, claims).rsplit(".", 1)[0].encode()
    hashed = hashlib.sha512 if name == "HS512" else hashlib.sha256
    for secret in (b"", pem, pem.strip(), json.dumps(jwk("rsa-1")).encode()):
        assert ours.caller(unsigned(header, claims, hmac.new(secret, signed, hashed).digest())) is None
    assert ours.caller(unsigned(header, claims)) is None


def test_a_symmetric_key_in_the_list_verifies_nothing(far: LocalIssuer) -> None:
    far.keys = [{"kty": "oct", "k": "c2VjcmV0", "kid": "shared", "alg": "HS256"}]
    token = jwt.encode(
        {"iss": URL, "aud": "scoring", "sub": "ada", "exp": NOW + 36_000}, "s" * 32, headers={"kid": "shared"}
    )
    assert far.issuer().caller(token) is None


def test_an_algorithm_that_is_not_listed_is_not_accepted(far: LocalIssuer) -> None:
    assert far.issuer(replace(SETTINGS, algorithms=("ES256",))).caller(far.token()) is None


def test_a_key_is_good_for_its_own_algorithm_only(far: LocalIssuer) -> None:
    far.keys = [jwk("rsa-1", alg="RS512"), jwk("rsa-2", use="enc"), jwk("rsa-3", key_ops=["encrypt"])]
    assert [far.issuer().caller(far.token(key=key)) for key in ("rsa-1", "rsa-2", "rsa-3")] == [None, None, None]


def test_a_key_without_an_algorithm_is_good_for_those_of_its_kind(far: LocalIssuer) -> None:
    far.keys = [{key: value for key, value in jwk("rsa-1").items() if key not in {"alg", "use"}}]
    assert far.issuer().caller(far.token()) is not None
    far.keys = [{**far.keys[0], "alg": "ES256"}]
    assert far.issuer().caller(far.token()) is None


def test_a_short_key_is_not_accepted(far: LocalIssuer) -> None:
    far.keys = [jwk("short-1")]
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = far.token(key="short-1")
    assert far.issuer().caller(token) is None


def test_a_key_needs_no_name_where_there_is_one_only(far: LocalIssuer) -> None:
    nameless = far.token(headers={"kid": None})
    assert far.issuer().caller(nameless) is None
    far.keys = [jwk("rsa-1")]
    assert far.issuer().caller(nameless) is not None


@pytest.mark.parametrize("prefix", ["", "system:"])
def test_no_claim_makes_anybody_one_of_kubernetes_own(far: LocalIssuer, prefix: str) -> None:
    ours = far.issuer(replace(SETTINGS, username_prefix=prefix, groups_prefix=prefix))
    assert ours.caller(far.token(sub="system:serviceaccount:modelops:operator")) is None
    assert ours.caller(far.token(sub="a\nb")) is None
    found = ours.caller(far.token(groups=["system:masters"]))
    assert found is None or found.groups == ("system:authenticated",)


@pytest.mark.parametrize("group", ["\ud800x", "a\nb", "a\x1b[2J", "a\u202eb"])
def test_a_group_that_does_not_print_is_left_out(far: LocalIssuer, ours: OidcIssuer, group: str) -> None:
    found = ours.caller(far.token(groups=[group, "Forschung und Lehre, Köln"]))
    assert found is not None
    assert found.groups == ("oidc:Forschung und Lehre, Köln", "system:authenticated")


def test_an_email_that_is_not_verified_names_nobody(far: LocalIssuer) -> None:
    ours = far.issuer(replace(SETTINGS, username_claim="email"))
    token = far.token(email="ada@example.com", email_verified=False)
    assert ours.caller(token) is None
    assert ours.caller(far.token(email="ada@example.com", email_verified=True)) is not None


def test_the_log_says_why_and_never_the_token(
    far: LocalIssuer, ours: OidcIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    token = far.token(exp=NOW - 3600, sub="private-name")
    with caplog.at_level(logging.INFO):
        assert ours.caller(token) is None
    assert "Signature has expired" in caplog.text
    assert not [part for part in (*token.split("."), "private-name") if part in caplog.text]


def test_without_an_issuer_there_is_none() -> None:
    assert oidc.from_settings(OidcSettings()) is None


def test_wrong_settings_are_told_all_at_once() -> None:
    wrong = replace(
        SETTINGS,
        issuer="http://issuer.example.com",
        audience="",
        algorithms=("HS256", "none"),
        username_claim="",
        ca_bundle="-----BEGIN",
    )
    with pytest.raises(InvalidInputError) as found:
        oidc.from_settings(wrong)
    assert [problem.pointer.removeprefix("MODELOPS_OIDC_") for problem in found.value.problems] == [
        "ISSUER",
        "AUDIENCE",
        "ALGORITHMS",
        "ALGORITHMS",
        "USERNAME_CLAIM",
        "CA_BUNDLE",
    ]


def test_no_accepted_algorithm_is_symmetric() -> None:
    assert not {name for name in checks.ALGORITHMS if name.upper() == "NONE" or name.startswith("HS")}
    with pytest.raises(InvalidInputError, match="ALGORITHMS: empty"):
        checks.check(replace(SETTINGS, algorithms=()))
