"""An IR as a folder or a file: which files belong to it, and what is told of those that cannot be read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import pytest

from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.ir import load
from tests.unit.ir import iris
from tests.unit.ir.iris import IR, PMML, problems

SHA256: Final = "9cf3b23f2c3bfd5f4eb7ba1d6ad9d0f5a5a9b0e2a9e1b3e7d9e6a3a6e5c4b3a2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return iris.write(tmp_path)


def test_a_folder_is_all_its_documents_but_for_hidden_ones(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "other.yaml").write_text("kind: Nonsense")
    (folder / ".hidden.yaml").write_text("kind: Nonsense")
    (folder / "notes.txt").write_text("kind: Nonsense")

    assert load.from_folder(folder).digest == load.from_text(IR).digest


def test_a_single_file_is_an_ir_too(folder: Path) -> None:
    loaded = load.from_folder(str(folder / "ir.yaml"))

    assert loaded.artifacts["iris"] == folder / "models" / "iris.pmml"


def test_digests_are_filled_in_from_the_files(folder: Path) -> None:
    loaded = load.from_folder(folder, fill_digests=True)

    assert loaded.pipeline.models[0].sha256 == hashlib.sha256(PMML).hexdigest()
    assert load.from_documents(loaded.documents).pipeline == loaded.pipeline
    assert loaded.artifacts == dict.fromkeys(("iris", "unused"), folder / "models" / "iris.pmml")


def test_a_model_with_a_digest_need_not_bring_its_file(folder: Path) -> None:
    (folder / "models" / "iris.pmml").unlink()
    text = IR.replace("artifact: models/iris.pmml,", f"artifact: models/iris.pmml, sha256: {SHA256},")
    (folder / "ir.yaml").write_text(text)

    loaded = load.from_folder(folder, fill_digests=True)

    assert loaded.artifacts == {}
    assert loaded.pipeline.models[0].sha256 == SHA256


def test_links_do_not_lead_out_of_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.yaml").write_text("password: hunter2")
    (outside / "iris.pmml").write_bytes(PMML)
    (folder / "models" / "iris.pmml").unlink()
    (folder / "models" / "iris.pmml").symlink_to(outside / "iris.pmml")
    (folder / "linked.yaml").symlink_to(outside / "secret.yaml")

    assert problems(lambda: load.from_folder(folder)) == [
        "ir.yaml:30 Model/iris /spec/artifact: the file is a link that leads out of the IR folder",
        "ir.yaml:34 Model/unused /spec/artifact: the file is a link that leads out of the IR folder",
        "linked.yaml: the file is a link that leads out of the IR folder",
    ]


def test_what_cannot_be_read_is_told_with_the_rest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def refused(path: Path, mode: str = "r", **more: Any) -> Any:
        if path.suffix in {".yml", ".pmml"}:
            raise PermissionError(13, "Permission denied")
        return real(path, mode, **more)

    (folder / "more.yml").write_text("kind: Model")
    monkeypatch.setattr(Path, "open", refused)

    assert problems(lambda: load.from_folder(folder)) == [
        "ir.yaml:30 Model/iris /spec/artifact: 'models/iris.pmml' cannot be read: Permission denied",
        "ir.yaml:34 Model/unused /spec/artifact: 'models/iris.pmml' cannot be read: Permission denied",
        "more.yml: the file cannot be read: Permission denied",
    ]


def test_links_within_the_folder_are_followed(folder: Path) -> None:
    (folder / "models" / "iris.pmml").rename(folder / "models" / "real.pmml")
    (folder / "models" / "iris.pmml").symlink_to("real.pmml")

    assert load.from_folder(folder).digest == load.from_text(IR).digest


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no folder or file"):
        load.from_folder(tmp_path / "absent")


def test_an_empty_folder_has_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no file of an IR"):
        load.from_folder(tmp_path)


def test_names_are_not_looked_up_when_a_file_cannot_be_read(folder: Path) -> None:
    (folder / "ir.yaml").write_text(IR.replace("kind: RecordSchema\nmetadata: {name: flower}", "kind: [").rstrip("}\n"))
    (folder / "more.yaml").write_text("kind: Model\nmetadata: {name: more}\nspec: {type: pml}")

    told = problems(lambda: load.from_folder(folder))

    unsupported = "no scoring server supports model type 'pml' (there are 'pmml', 'python-script', 'python-binary')"
    assert told == [
        "ir.yaml:38: not valid YAML: a ',' or the closing bracket is missing",
        f"more.yaml:3 Model/more /spec/type: {unsupported}",
        "more.yaml:3 Model/more /spec: 'artifact' is missing",
        "more.yaml:3 Model/more /spec: 'inputs' is missing",
        "more.yaml:3 Model/more /spec: 'outputs' is missing",
    ]


def test_a_document_without_a_name_is_known_by_its_place_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(IR)
    (tmp_path / "b.yaml").write_text("kind: Model\nmetadata: {name: m}\n---\nkind: Model\n")

    with pytest.raises(InvalidInputError) as refused:
        load.from_folder(tmp_path)

    told = {problem.document for problem in refused.value.problems if (problem.file, problem.line) >= ("b.yaml", 4)}
    assert told == {"document 2"}
