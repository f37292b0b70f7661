import httpx
import pytest

from scheduler.errors import ForbiddenError, InvalidInputError, UnavailableError
from scheduler.images.connection import is_plain
from scheduler.images.references import split
from scheduler.images.registry import HttpRegistry

HOST = "10.217.0.1:5000"
DIGEST = "sha256:" + "a" * 64


def _registry(answer: httpx.Response, seen: list[httpx.Request] | None = None) -> HttpRegistry:
    def respond(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return answer

    return HttpRegistry(HOST, transport=httpx.MockTransport(respond))


def test_the_digest_is_the_one_the_registry_states() -> None:
    seen: list[httpx.Request] = []
    registry = _registry(httpx.Response(200, headers={"Docker-Content-Digest": DIGEST}), seen)
    assert registry.digest(f"{HOST}/modelops/flow:abc") == DIGEST
    assert (seen[0].method, str(seen[0].url)) == ("HEAD", f"http://{HOST}/v2/modelops/flow/manifests/abc")
    assert "application/vnd.oci.image.manifest.v1+json" in seen[0].headers["Accept"]


def test_a_registry_with_a_path_is_spoken_to_as_it_was_told() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})

    registry = HttpRegistry(f"{HOST}/acme", plain_http=False, transport=httpx.MockTransport(respond))

    assert registry.digest(f"{HOST}/acme/modelops/flow:abc") == DIGEST
    assert str(seen[0].url) == f"https://{HOST}/v2/acme/modelops/flow/manifests/abc"


def test_an_image_that_is_not_there_has_no_digest() -> None:
    assert _registry(httpx.Response(404)).digest(f"{HOST}/modelops/flow:abc") is None


def test_a_registry_that_wants_credentials_is_said_so() -> None:
    with pytest.raises(ForbiddenError, match="wants credentials for modelops/flow"):
        _registry(httpx.Response(401)).digest(f"{HOST}/modelops/flow:abc")


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(200)])
def test_an_answer_without_digest_is_no_absence(answer: httpx.Response) -> None:
    with pytest.raises(UnavailableError):
        _registry(answer).digest(f"{HOST}/modelops/flow:abc")


def test_a_registry_that_does_not_answer_is_unavailable() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(UnavailableError, match="does not answer"):
        HttpRegistry(HOST, transport=httpx.MockTransport(refuse)).digest(f"{HOST}/modelops/flow:abc")


def test_what_is_no_name_of_a_registry_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'debian:trixie' is no registry"):
        HttpRegistry(HOST).digest("debian:trixie")


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("registry.example.com/modelops/base", ("registry.example.com", "modelops/base", "latest")),
        (f"{HOST}/modelops/base@{DIGEST}", (HOST, "modelops/base", DIGEST)),
        (f"{HOST}/modelops/base:1.0@{DIGEST}", (HOST, "modelops/base", DIGEST)),
        (f"r.example/acme/modelops/base@{DIGEST}", ("r.example", "acme/modelops/base", DIGEST)),
    ],
)
def test_references_are_split(reference: str, parts: tuple[str, str, str]) -> None:
    assert split(reference) == parts


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1:5000", True),
        ("localhost:5000", True),
        ("[::1]:5000", True),
        ("[::1]", True),
        ("192.0.2.7", True),
        ("example.com:443", False),
    ],
)
def test_only_private_addresses_speak_plain_http(host: str, private: bool) -> None:
    assert is_plain(host) is private
