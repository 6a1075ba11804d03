"""What the tests of the owner's commands share."""

import shutil
from pathlib import Path

import pytest

from infra.up.registry import VARIABLE
from tests.owner.desks import left_desk


@pytest.fixture(autouse=True)
def _registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what other tests killed out of sight: a command that names no system tells of it."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "running"))


@pytest.fixture(scope="session")
def played_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a desk's folder after a morning; nobody changes it."""
    return left_desk(tmp_path_factory)


@pytest.fixture
def desk(played_desk: Path, tmp_path: Path) -> Path:
    """Give a copy of that folder, to act on."""
    return Path(shutil.copytree(played_desk, tmp_path / "desk"))
