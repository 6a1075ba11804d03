"""What a kill, a full disk, a newer version or a second process do to a state folder."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.one_machine.database import Database, is_written
from infra.one_machine.folder import FolderLock
from infra.one_machine.sqlite_store import SqliteStore
from shared.errors import ConfigError, StoreDown
from shared.ports import Create, Put
from tests.patience import PATIENCE_S

_ROOT = Path(__file__).resolve().parents[2]
_WRITER = """
import sys
from pathlib import Path
from infra.one_machine.sqlite_store import SqliteStore
from shared.ports import Create, Put
store, n = SqliteStore(Path(sys.argv[1])), 0
while True:
    n += 1
    store.commit([Create(f"a/{n}", {"n": n}), Create(f"b/{n}", {"n": n}), Put("last/1", {"n": n})])
    print(n, flush=True)
"""
_HOLDER = """
import sys, time
from pathlib import Path
from infra.one_machine.folder import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def _start(code: str, path: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", code, str(path)]
    # Unbuffered: what is not read here is what `communicate` gets, and no half line is lost between the two.
    return subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, bufsize=0)  # noqa: S603 - our own code


def _kill(process: "subprocess.Popen[bytes]") -> bytes:
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate(timeout=PATIENCE_S)
    return said


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1])
def test_a_kill_leaves_whole_commits(tmp_path: Path, after_s: float) -> None:
    """After a SIGKILL while it writes, everything that was confirmed is there and no commit is halved."""
    process = _start(_WRITER, tmp_path / "state.db")
    assert process.stdout is not None
    for _ in range(10):
        process.stdout.readline()
    time.sleep(after_s)
    whole_lines = _kill(process).split(b"\n")[:-1]
    confirmed = int(whole_lines[-1]) if whole_lines else 10
    store = SqliteStore(tmp_path / "state.db")
    last = store.get("last/1")
    assert last is not None
    assert last.data["n"] >= confirmed > 1
    counts = [len(store.query("a")), len(store.query("b"))]
    assert counts == [last.data["n"]] * 2
    store.commit([Create("after/1", {})])
    store.close()


def _page_limit(path: Path) -> SqliteStore:
    """Open a store on a disk with room for hardly more than what is there."""
    store = SqliteStore(path)
    with store._database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 2}")
    return store


def test_a_full_disk_applies_nothing(tmp_path: Path) -> None:
    """When the disk is full a commit is StoreDown, none of it is applied, and reading goes on."""
    store = _page_limit(tmp_path / "state.db")
    store.commit([Create("a/small", {"n": 1})])
    with pytest.raises(StoreDown, match="full"):
        store.commit([Put("a/small", {"n": 2}), Create("a/big", {"x": "x" * 100_000})])
    document = store.get("a/small")
    assert document is not None
    assert document.data == {"n": 1}
    assert store.get("a/big") is None
    store.commit([Put("a/small", {"n": 3})])
    store.close()


def test_a_disk_that_is_read_only_is_store_down(tmp_path: Path) -> None:
    """When the file cannot be written a commit is StoreDown and reading goes on."""
    store = SqliteStore(tmp_path / "state.db")
    store.commit([Create("a/1", {})])
    with store._database.reading() as connection:
        connection.execute("PRAGMA query_only=1")
    with pytest.raises(StoreDown, match="readonly"):
        store.commit([Create("a/2", {})])
    assert store.get("a/1") is not None
    store.close()
    with pytest.raises(StoreDown):
        store.get("a/1")


def test_a_missing_folder_is_store_down(tmp_path: Path) -> None:
    """A file that cannot be created is StoreDown."""
    with pytest.raises(StoreDown):
        SqliteStore(tmp_path / "nowhere" / "state.db")


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A state file of a newer version is a ConfigError that says what to do, and it stays as it is."""
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=2")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="newer version"):
        Database(path)
    assert path.read_bytes() == before


def test_something_else_is_refused(tmp_path: Path) -> None:
    """A file that is no state file is a ConfigError and stays as it is."""
    path = tmp_path / "state.db"
    path.write_bytes(b"my diary, not a database" * 100)
    with pytest.raises(ConfigError, match=r"not a state file.*do not go on without it.*look at the broker's"):
        Database(path)
    assert path.read_bytes().startswith(b"my diary")


def test_a_book_is_known_by_what_its_commits_left(tmp_path: Path) -> None:
    """What a killed desk left counts although its file itself is still empty of it; a file that was never begun not."""
    killed, empty = tmp_path / "killed", tmp_path / "empty"
    store = SqliteStore(tmp_path / "state.db")
    store.commit([Create("a/1", {"n": 1})])
    for folder in (killed, empty):
        folder.mkdir()
    for name in ("state.db", "state.db-wal"):
        shutil.copy(tmp_path / name, killed / name)
    store.close()
    assert is_written(killed / "state.db")
    assert not is_written(empty / "state.db")
    assert not list(empty.iterdir())
    (empty / "state.db").write_bytes(b"")
    assert not is_written(empty / "state.db")
    (empty / "state.db").write_bytes(b"my diary, not a database" * 100)
    assert is_written(empty / "state.db")


def test_two_stores_on_one_file_see_each_other(tmp_path: Path) -> None:
    """Two connections to one file read each other's commits."""
    one, other = SqliteStore(tmp_path / "state.db"), SqliteStore(tmp_path / "state.db")
    one.commit([Create("a/1", {"n": 1})])
    assert other.get("a/1") == one.get("a/1")
    one.close()
    other.close()


def test_a_folder_has_one_holder(tmp_path: Path) -> None:
    """A second process is told who holds the folder, and gets it once the first one has let go."""
    lock = FolderLock(tmp_path / "run")
    with pytest.raises(ConfigError, match=rf"already \(process {os.getpid()}\)"):
        FolderLock(tmp_path / "run")
    lock.release()
    lock.release()
    FolderLock(tmp_path / "run").release()


def test_a_dead_holder_is_followed(tmp_path: Path) -> None:
    """The lock of a process that was killed does not keep the next one out."""
    process = _start(_HOLDER, tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(ConfigError, match=f"process {process.pid}"):
        FolderLock(tmp_path)
    _kill(process)
    FolderLock(tmp_path).release()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A path that is a file is a ConfigError."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be"):
        FolderLock(tmp_path / "file")
