"""What the processes of a run share: made by one of them, whole or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.once import common, locked, once

ASKED = 8


def _made(folder: Path) -> None:
    (folder / "made").touch()


def test_what_many_ask_for_at_once_is_made_once(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    """Eight that ask at once get the same folder, which one of them made."""
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        _made(folder)

    def ask(_: int) -> Path:
        return once(tmp_path_factory, request.node.name, make)

    with ThreadPoolExecutor(ASKED) as askers:
        folders = set(askers.map(ask, range(ASKED)))
    (folder,) = folders
    assert len(made) == 1
    assert (folder / "made").exists()


def test_what_could_not_be_made_is_made_by_the_next(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    """A folder that broke off half made is found by nobody; the next that asks makes it whole."""
    halves: list[Callable[[Path], None]] = [_made, _broken]
    with pytest.raises(OSError, match="half"):
        once(tmp_path_factory, request.node.name, halves.pop())
    assert not (common(tmp_path_factory) / request.node.name).exists()
    assert [one.name for one in once(tmp_path_factory, request.node.name, halves.pop()).iterdir()] == ["made"]


def _broken(folder: Path) -> None:
    (folder / "half").touch()
    raise OSError("half")


def test_a_lock_is_shared_or_held_alone(tmp_path: Path) -> None:
    """Who shares a lock goes on beside others that share it; who holds it alone waits until they are gone."""
    order: list[str] = []

    def alone() -> None:
        with locked(tmp_path / "lock"):
            order.append("alone")

    with ThreadPoolExecutor(1) as other:
        with locked(tmp_path / "lock", shared=True), locked(tmp_path / "lock", shared=True):
            waits = other.submit(alone)
            order.append("shared")
        waits.result()
    assert order == ["shared", "alone"]
