"""What of a PMML file is refused before the JVM sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.serving.faults import ModelRefusedError
from scheduler.serving.runners import pmml_document
from tests.unit.serving.documents import TREE


def check(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "model"
    path.write_text(text)
    return pmml_document.check(path)


def test_the_models_of_a_document_are_listed(tmp_path: Path) -> None:
    assert check(tmp_path, TREE) == ("TreeModel",)


def test_extensions_and_descriptions_may_hold_anything(tmp_path: Path) -> None:
    text = TREE.replace(
        "<Header/>", '<Header><Extension name="x"><y:any xmlns:y="urn:y"/></Extension><Timestamp/></Header>'
    )
    assert check(tmp_path, text) == ("TreeModel",)


ENTITY = '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
REFUSALS = {
    "entity": (ENTITY + TREE, r"declares a document type \(PMML\)"),
    "document type": ("<!DOCTYPE PMML>" + TREE, "declares a document type"),
    "not well formed": (TREE.replace("</PMML>", ""), "not well-formed XML: no element found: line"),
    "empty": ("", "not well-formed XML: no element found"),
    "root": ("<html/>", "the root element is <html>, not <PMML>"),
    "no model": ('<PMML version="4.4"/>', "the PMML has no model"),
    "unknown element": (
        TREE.replace("SimplePredicate", "SillyPredicate"),
        "line 11: element <SillyPredicate> is not supported; scores would be wrong",
    ),
    "model that cannot be scored": (TREE.replace("TreeModel", "TimeSeriesModel"), "<TimeSeriesModel> is not supported"),
    "foreign element": (TREE.replace("<DataDictionary>", '<x:y xmlns:x="urn:x"/><DataDictionary>'), "element <y>"),
    "unknown encoding": (
        '<?xml version="1.0" encoding="UTF-7"?>' + TREE,
        "not well-formed XML: multi-byte encodings are not supported",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_document_that_would_not_be_scored_whole_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelRefusedError, match=message):
        check(tmp_path, text)
