"""What the owner wrote goes into the archive that `strategy up` runs, and is found there."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.running.folder import Folder
from infra.simulated_day.problems import UserError
from tests.strategies.own import passing, write

_FOUND = "from shared.strategies import registry; print(registry.HERE, *registry.found())"


def _folder(path: Path) -> Folder:
    path.mkdir()
    return Folder(path=path)


def test_a_strategy_of_the_owner_s_is_found_by_the_function_that_scans(tmp_path: Path) -> None:
    """In the unpacked archive of `market_scan` the registry finds it beside what ships; no other archive has it."""
    (tmp_path / "own").mkdir()
    homes = _folder(tmp_path / "desk").unpacked(passing(write(tmp_path / "own")))
    call = [sys.executable, "-c", _FOUND]
    done = subprocess.run(call, cwd=homes["market_scan"], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    place, *names = done.stdout.split()
    assert Path(place).is_relative_to(homes["market_scan"])
    assert {"mine", "momentum", "opening_range", "trend_confirmation", "volume_surge"} <= set(names)
    assert [name for name, home in homes.items() if list(home.rglob("mine.py"))] == ["market_scan"]


def test_a_strategy_that_cannot_be_packed_stops_the_start_with_its_place(tmp_path: Path) -> None:
    """A file that is no Python is named with its line before any function starts."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.py").write_text('"""Mine."""\n\ndef vote(:\n')
    with pytest.raises(UserError, match=r"own/mine\.py:3: is not Python"):
        _folder(tmp_path / "desk").unpacked(passing(tmp_path / "own"))
