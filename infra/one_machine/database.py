"""One SQLite file that survives a kill at any moment, and its failures as errors of ours.

The file is in write-ahead mode: a commit is whole or absent, whatever dies when. That holds for a killed process;
a power cut may take the last commits with it, never a half of one, unless the file is `durable`: then each commit
waits for the disk.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from shared.errors import ConfigError, StoreDown

SCHEMA_VERSION = 1

_TABLES = """
CREATE TABLE documents (
    version INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, data TEXT NOT NULL
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data BLOB NOT NULL, attributes TEXT NOT NULL,
    ordering_key TEXT NOT NULL, published_at TEXT NOT NULL
);
CREATE TABLE deliveries (
    message INTEGER NOT NULL, subscription TEXT NOT NULL, attempts INTEGER NOT NULL,
    PRIMARY KEY (message, subscription)
) WITHOUT ROWID;
CREATE TABLE dead_letters (message INTEGER NOT NULL, subscription TEXT NOT NULL, attempts INTEGER NOT NULL);
"""
_BUSY_S = 5.0
_RESTORE = (
    "put a whole copy in its place and do not go on without it, for it is all that is known of orders, positions and "
    "halts; where there is none, look at the broker's own page first, then use another folder"
)


class Database:
    """A connection to a state file, safe to share between threads; `path` None is a file in memory.

    Raises ConfigError for a file that is no state file or that a newer version wrote, StoreDown when the disk
    refuses.
    """

    def __init__(self, path: Path | None, *, durable: bool = False) -> None:
        self._lock = threading.RLock()
        self._synchronous = "FULL" if durable else "NORMAL"
        with _translated():
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
        try:
            self._open(str(path or "memory"))
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[sqlite3.Connection]:
        """Apply what happens inside wholly, or not at all when it raises; raises StoreDown.

        One that need not be `lasting` does not wait for the disk, even in a durable file: a power cut may undo it.
        """
        with self._lock, _translated():
            self._connection.execute(f"PRAGMA synchronous={self._synchronous if lasting else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read the last commit; raises StoreDown."""
        with self._lock, _translated():
            yield self._connection

    def close(self) -> None:
        """Close the connection; a second time is no error."""
        with self._lock:
            self._connection.close()

    def _open(self, name: str) -> None:
        try:
            with _translated():
                found = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
                if found > SCHEMA_VERSION:
                    problem = f"{name}: written by a newer version; update this one, or use another folder"
                    raise ConfigError((problem,))
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute(f"PRAGMA synchronous={self._synchronous}")
                with self.transaction():
                    if self._connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                        for statement in _TABLES.split(";")[:-1]:
                            self._connection.execute(statement)
                        self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except StoreDown as down:
            if isinstance(down.__cause__, sqlite3.OperationalError):
                raise
            problem = f"{name}: not a state file ({down.detail}); {_RESTORE}"
            raise ConfigError((problem,)) from down


def is_written(path: Path) -> bool:
    """Tell whether a state file is there and was ever begun; a damaged one was, and opening it says what is wrong.

    A look changes nothing: beside an empty file SQLite would throw away what was committed and not yet moved into it.
    """
    try:
        if path.stat().st_size == 0:
            return False
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0]) > 0
    except FileNotFoundError:
        return False
    except (OSError, sqlite3.Error):
        return True


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        raise StoreDown(f"SQLite: {problem}") from problem
