"""The Store port in memory: for tests and for simulated days that leave nothing behind."""

import threading
from collections import defaultdict
from collections.abc import Sequence

from shared import documents
from shared.codec import loads
from shared.errors import Conflict
from shared.ports import Check, Create, Document, Update, Where, Write

_Kept = tuple[str, int]  # text and version


class MemoryStore:
    """Documents in a dictionary, safe to share between threads; never down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._collections: defaultdict[str, dict[str, _Kept]] = defaultdict(dict)
        self._version = 0

    def get(self, path: str) -> Document | None:
        """Read one document, or None."""
        with self._lock:
            kept = self._of(documents.check_path(path)).get(path)
        return None if kept is None else _document(path, kept)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none and give the new versions; raises Conflict when a precondition fails."""
        documents.check_writes(writes)
        texts = [
            None if (data := documents.data_of(write)) is None else documents.freeze(write.path, data)
            for write in writes
        ]
        with self._lock:
            for write in writes:
                self._check(write)
            self._version += 1
            for write, text in zip(writes, texts, strict=True):
                if text is not None:
                    self._of(write.path)[write.path] = (text, self._version)
                elif not isinstance(write, Check):
                    self._of(write.path).pop(write.path, None)
            return tuple(self._version_of(write.path) for write in writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents, by `order_by` ascending, else by path."""
        documents.check_query(collection, where, order_by, limit)
        with self._lock:
            found = sorted(self._collections[collection].items())
        return documents.select((_document(path, kept) for path, kept in found), where, order_by, limit)

    def _of(self, path: str) -> dict[str, _Kept]:
        return self._collections[path.partition("/")[0]]

    def _version_of(self, path: str) -> str:
        kept = self._of(path).get(path)
        return "" if kept is None else str(kept[1])

    def _check(self, write: Write) -> None:
        kept = self._of(write.path).get(write.path)
        match write:
            case Create() if kept is not None:
                raise Conflict(f"{write.path} exists")
            case Update() | Check() if kept is None or str(kept[1]) != write.version:
                raise Conflict(f"{write.path} was changed by somebody else")
            case _:
                pass


def _document(path: str, kept: _Kept) -> Document:
    return Document(path=path, data=loads(kept[0]), version=str(kept[1]))
