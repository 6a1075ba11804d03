"""A desk's folder in the middle of a trading day and the archives, each made once for all processes of a run."""

import shutil
from pathlib import Path

import pytest

from tests.once import once
from tests.running.desks import trade_until, unpack, with_archives


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with every archive, unpacked and compiled: else each start of a desk compiles them again."""
    return once(tmp_path_factory, "unpacked", unpack)


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory, unpacked: Path) -> Path:
    """Make the folder, for those that copy it themselves."""
    return once(tmp_path_factory, "traded", lambda folder: trade_until(with_archives(folder, unpacked)))


@pytest.fixture
def desk(traded: Path, tmp_path: Path) -> Path:
    """Give a copy of a folder whose desk holds shares and has sell orders open."""
    return Path(shutil.copytree(traded, tmp_path / "desk", symlinks=True))
