"""A desk whose book was moved away: nobody goes on, looks or halts as if there never had been one."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.one_machine.folder import FolderLock
from infra.running.folder import Folder
from infra.running.station import Station
from infra.simulated_day.problems import UserError
from tests.operations.desks import refused, strategy
from tests.running.desks import plan_of, running, with_archives


def _without_tables(store: Path) -> None:
    store.unlink()
    connection = sqlite3.connect(store)
    connection.execute("VACUUM")
    connection.close()


GONE: dict[str, Callable[[Path], object]] = {
    "missing": lambda store: store.unlink(),
    "empty": lambda store: store.write_bytes(b""),
    "without tables": _without_tables,
}


@pytest.mark.parametrize("how", GONE)
def test_a_desk_does_not_go_on_without_its_book(desk: Path, how: str) -> None:
    """Neither a start nor a command goes on: they say what is gone, what stays at the broker, and what to do."""
    store = Folder(path=desk).store
    GONE[how](store)
    beside = store.with_name("state.db-wal")
    beside.write_bytes(b"what was committed and is not yet in the file")
    with pytest.raises(UserError, match="the book of this desk is gone") as told:
        Station(plan_of(desk))
    assert "stops at the broker stay there" in told.value.what
    for part in ("put the file back", "look at E*TRADE", "--state"):
        assert part in told.value.remedy
    for words in (("status",), ("positions",), ("dead-letters",), ("resume", "--reason", "on")):
        refused(strategy(*words, "--state", str(desk)), "the book of this desk is gone", "put the file back")
    refused(strategy("halt", "--state", str(desk)), "NOTHING IS HALTED", "the book of this desk is gone", "Ctrl-C")
    if how != "without tables":
        assert beside.read_bytes() == b"what was committed and is not yet in the file"
    assert store.exists() is (how != "missing")
    FolderLock(desk).release()


def test_a_first_start_that_broke_off_may_be_done_again(tmp_path: Path, unpacked: Path) -> None:
    """Where no desk ever ran a start begins a book, whatever an earlier one left of it."""
    folder = with_archives(tmp_path / "desk", unpacked)
    Folder(path=folder).store.touch()
    with running(folder) as station:
        assert station.folder.card() is not None
    Folder(path=folder).require_book()
