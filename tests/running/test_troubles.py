"""What befalls a desk while it trades: a token that is destroyed, a disk that is full, a state file that is locked."""

import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.running.folder import Folder
from infra.running.station import Station
from shared.topology import ACCESS_TOKEN
from tests.running.browser import sign_in_at
from tests.running.desks import lines, lost, require_settled, running, wait_for

ROOM_MB = 48
LOCKED_S = 7.0


def _sold(station: Station) -> bool:
    return "MSFT" not in station.ledger().positions


def test_a_destroyed_token_sends_nothing_until_the_owner_signs_in(desk: Path) -> None:
    """Without its token's version the desk asks the broker nothing, says so, and trades on after a new sign-in."""
    with running(desk) as station:
        vault = station.cloud.vault
        for version in vault.versions(ACCESS_TOKEN):
            vault.destroy(ACCESS_TOKEN, version)
        for process in station.fleet:
            process.kill()  # no function remembers the token
        wait_for(lambda: all(one.restarts and one.answers for one in station.fleet.status()))
        before, since = station.ledger(), station.timeline.now()
        names = [process.name for process in station.fleet]
        wait_for(lambda: any(line.get("event") == "token_gone" for name in names for line in lines(desk, name)))
        wait_for(lambda: station.timeline.now() > since + timedelta(minutes=1))
        after = station.ledger()
        assert (after.place_requests, after.calls) == (before.place_requests, before.calls)
        sign_in_at(station)
        wait_for(lambda: _sold(station))
        require_settled(station)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a file system of its own with little room, or skip where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("this system has no mount: a full disk cannot be made")
    words = [mount, "-t", "tmpfs", "-o", f"size={ROOM_MB}m", "tmpfs", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    if done.returncode:
        pytest.skip(f"a full disk cannot be made here: {done.stderr.strip()}")
    yield folder
    subprocess.run([umount, str(folder)], check=True)  # noqa: S603 - a fixed command


def _fill(path: Path) -> None:
    """Write until there is no room for another byte."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 8, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue


def test_a_full_disk_is_told_and_the_desk_goes_on_with_room(desk: Path, small_disk: Path) -> None:
    """On a full disk the desk says what is refused and writes nothing in halves; with room again it trades on."""
    here, filler = Path(shutil.copytree(desk, small_disk / "desk")), small_disk / "filler"
    with running(here) as station:
        wait_for(lambda: station.status().refused is None and (here / "status.json").exists())
        _fill(filler)
        refused = wait_for(lambda: station.status().refused)
        assert "no space left" in refused
        held = station.timeline.now()
        wait_for(lambda: station.timeline.now() > held + timedelta(minutes=1))
        json.loads((here / "status.json").read_bytes())
        assert not list(here.glob(".*.tmp"))
        filler.unlink()
        wait_for(lambda: station.status().refused is None)
        wait_for(lambda: _sold(station))
        require_settled(station)
        assert lost(here) == []
        for line in Folder(path=here).calls.read_text().splitlines():
            json.loads(line)
    events = [line["event"] for line in lines(here, "desk")]
    assert "accepted_again" in events
    with running(here) as station:
        require_settled(station)


def test_a_locked_state_file_holds_the_desk_up_and_loses_nothing(desk: Path) -> None:
    """While something else holds the state file no message is lost, and the desk trades on when it is free again."""
    with running(desk) as station:
        intruder = sqlite3.connect(Folder(path=desk).store, isolation_level=None, timeout=30)
        intruder.execute("BEGIN EXCLUSIVE")
        locked = len(station.ledger().place_requests)
        time.sleep(LOCKED_S)
        assert len(station.ledger().place_requests) == locked
        intruder.execute("ROLLBACK")
        intruder.close()
        wait_for(lambda: _sold(station))
        require_settled(station)
        assert lost(desk) == []
