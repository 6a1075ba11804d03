"""What the tests of the owner's commands share."""

import shutil
from pathlib import Path

import pytest

from infra.running.instant import KeptInstant
from infra.running.registry import VARIABLE
from tests.functions.made import at
from tests.operations.desks import left_desk


@pytest.fixture(autouse=True)
def _registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what other tests killed out of sight: a command that names no system tells of it."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "running"))


@pytest.fixture(scope="session")
def played_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a desk's folder after a morning, to look at: a copy, for an open store has files that come and go."""
    return Path(shutil.copytree(left_desk(tmp_path_factory), tmp_path_factory.mktemp("played") / "made"))


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """Give a copy of that folder, to act on."""
    return Path(shutil.copytree(left_desk(tmp_path_factory), tmp_path / "desk"))


@pytest.fixture
def evening(desk: Path) -> Path:
    """Give it with a time of its own that stands still in the evening, whatever the time is here: no session is on."""
    KeptInstant(desk).write(at("18:00"))
    return desk
