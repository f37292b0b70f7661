"""The one form of an IR's documents, however they were written: to be sent, kept and digested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheduler.model.types import Document

API_VERSION = "modelops/v1"


def documents(given: Sequence[Document]) -> tuple[Document, ...]:
    """Sorted by kind and name, with `apiVersion`, and with the order of every record schema's fields written down.

    Whoever keeps JSON may sort its keys; a model that takes columns by position must not notice.
    """
    return tuple(sorted((document(each) for each in given), key=_kind_and_name))


def document(given: Document) -> Document:
    whole = {"apiVersion": API_VERSION, **given}
    if given["kind"] != "RecordSchema" or "order" in given["spec"]:
        return whole
    return {**whole, "spec": {**given["spec"], "order": list(given["spec"]["properties"])}}


def with_digest(given: Document, digests: Mapping[str, str]) -> Document:
    """A Model's document with the SHA-256 of its file, when `digests` (by model) has it; any other as it is."""
    if given["kind"] != "Model" or given["metadata"]["name"] not in digests:
        return given
    return {**given, "spec": {**given["spec"], "sha256": digests[given["metadata"]["name"]]}}


def _kind_and_name(given: Document) -> tuple[str, str]:
    return given["kind"], given["metadata"]["name"]
