"""A desk's folder in the middle of a trading day, made once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from tests.up.desks import trade_until


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder, for those that copy it themselves."""
    folder = tmp_path_factory.mktemp("traded") / "desk"
    trade_until(folder)
    return folder


@pytest.fixture
def desk(traded: Path, tmp_path: Path) -> Path:
    """Give a copy of a folder whose desk holds shares and has sell orders open."""
    return Path(shutil.copytree(traded, tmp_path / "desk"))
