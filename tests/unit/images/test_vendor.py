from pathlib import Path

import pytest
import yaml

from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.images import vendor


def _chart(folder: Path, **dependencies: str) -> Path:
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / "configmap.yaml").write_text(folder.name)
    (folder / "charts").mkdir()
    (folder / "charts" / "stale").write_text("left from yesterday")
    listed = [{"name": name, "version": "*", "repository": at} for name, at in dependencies.items()]
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"name": folder.name, "dependencies": listed}))
    return folder


def test_a_chart_is_copied_with_its_charts_and_theirs(tmp_path: Path) -> None:
    _chart(tmp_path / "common")
    _chart(tmp_path / "flow", common="file://../common")
    top = _chart(tmp_path / "pipeline", common="file://../common", flow="file://../flow")
    target = tmp_path / "out"
    vendor.copy(top, target)
    assert sorted(str(file.relative_to(target)) for file in target.rglob("configmap.yaml")) == [
        "charts/common/templates/configmap.yaml",
        "charts/flow/charts/common/templates/configmap.yaml",
        "charts/flow/templates/configmap.yaml",
        "templates/configmap.yaml",
    ]
    assert list(target.rglob("stale")) == []


def test_a_chart_from_elsewhere_is_refused(tmp_path: Path) -> None:
    top = _chart(tmp_path / "pipeline", mine="file://../mine", theirs="https://charts.example.com")
    with pytest.raises(InvalidInputError, match="dependency 'theirs' must have a repository that begins with file://"):
        vendor.copy(top, tmp_path / "out")


def test_a_folder_without_a_chart_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"has no Chart\.yaml"):
        vendor.copy(tmp_path, tmp_path / "out")
