"""The Store port on one SQLite file: what the one-machine world keeps in place of Firestore."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.one_machine.database import Database
from shared import documents
from shared.codec import loads
from shared.errors import Conflict
from shared.ports import Check, Create, Delete, Document, Put, Update, Where, Write

_EXACT = 2**53  # SQLite compares larger numbers as floats; those conditions are left to `documents`


class SqliteStore:
    """Documents in a state file, safe to share between threads and processes.

    A document's version is its row number, which SQLite never gives twice. A disk that refuses is StoreDown.
    """

    def __init__(self, path: Path | None, *, durable: bool = False) -> None:
        self._database = Database(path, durable=durable)

    def get(self, path: str) -> Document | None:
        """Read one document, or None; raises StoreDown."""
        documents.check_path(path)
        with self._database.reading() as connection:
            row = connection.execute("SELECT data, version FROM documents WHERE path = ?", (path,)).fetchone()
        return None if row is None else Document(path=path, data=loads(row[0]), version=str(row[1]))

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none and give the new versions; raises Conflict, else StoreDown."""
        documents.check_writes(writes)
        texts = [
            "" if (data := documents.data_of(write)) is None else documents.freeze(write.path, data) for write in writes
        ]
        with self._database.transaction() as connection:
            return tuple(_apply(connection, write, text) for write, text in zip(writes, texts, strict=True))

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents, by `order_by` ascending, else by path; raises StoreDown."""
        documents.check_query(collection, where, order_by, limit)
        narrowed = [one for one in where if not isinstance(one.value, int) or abs(one.value) < _EXACT]
        # The text is built from checked names and operators only; SQL narrows, `documents.select` decides.
        conditions = "".join(f" AND json_extract(data, '$.{one.name}') {one.op} ?" for one in narrowed)
        statement = (
            "SELECT path, data, version FROM documents WHERE path > ? AND path < ?"  # noqa: S608 - see above
            f"{conditions} ORDER BY path"
        )
        # "0" is the character after "/": the range holds exactly the paths of the collection.
        values = (f"{collection}/", f"{collection}0", *(one.value for one in narrowed))
        with self._database.reading() as connection:
            rows = connection.execute(statement, values)
            return documents.select(_documents(rows), where, order_by, limit)

    def close(self) -> None:
        """Close the file; a second time is no error."""
        self._database.close()


def _apply(connection: sqlite3.Connection, write: Write, text: str) -> str:
    """Do one write of a commit and give the document's version after it."""
    match write:
        case Create():
            try:
                return _insert(connection, "INSERT", write.path, text)
            except sqlite3.IntegrityError:
                raise Conflict(f"{write.path} exists") from None
        case Update():
            held = "DELETE FROM documents WHERE path = ? AND version = ?"
            if connection.execute(held, (write.path, write.version)).rowcount == 0:
                raise Conflict(f"{write.path} was changed by somebody else")
            return _insert(connection, "INSERT", write.path, text)
        case Check():
            held = "SELECT 1 FROM documents WHERE path = ? AND version = ?"
            if connection.execute(held, (write.path, write.version)).fetchone() is None:
                raise Conflict(f"{write.path} was changed by somebody else")
            return write.version
        case Put():
            return _insert(connection, "REPLACE", write.path, text)
        case Delete():
            connection.execute("DELETE FROM documents WHERE path = ?", (write.path,))
            return ""


def _insert(connection: sqlite3.Connection, verb: str, path: str, text: str) -> str:
    return str(connection.execute(f"{verb} INTO documents (path, data) VALUES (?, ?)", (path, text)).lastrowid)


def _documents(rows: sqlite3.Cursor) -> Iterator[Document]:
    for path, data, version in rows:
        yield Document(path=path, data=loads(data), version=str(version))
