"""The Store port in memory: for tests and for simulated days that leave nothing behind."""

import threading
from collections import defaultdict
from collections.abc import Sequence

from shared import documents
from shared.codec import loads
from shared.errors import Conflict
from shared.frozen import frozen
from shared.ports import Check, Create, Document, Update, Where, Write


@frozen(kw_only=False)
class _Kept:
    """A document: its text, from which every reader gets data of its own, and what queries look at and nobody gets."""

    text: str
    seen: Document

    def fresh(self) -> Document:
        """Give the document with data that nobody else has."""
        return Document(path=self.seen.path, data=loads(self.text), version=self.seen.version)


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
        return None if kept is None else kept.fresh()

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
                    seen = Document(path=write.path, data=loads(text), version=str(self._version))
                    self._of(write.path)[write.path] = _Kept(text, seen)
                elif not isinstance(write, Check):
                    self._of(write.path).pop(write.path, None)
            return tuple(self._version_of(write.path) for write in writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents, by `order_by` ascending, else by path."""
        documents.check_query(collection, where, order_by, limit)
        with self._lock:
            found = dict(sorted(self._collections[collection].items()))
        chosen = documents.select((kept.seen for kept in found.values()), where, order_by, limit)
        return [found[document.path].fresh() for document in chosen]

    def _of(self, path: str) -> dict[str, _Kept]:
        return self._collections[path.partition("/")[0]]

    def _version_of(self, path: str) -> str:
        kept = self._of(path).get(path)
        return "" if kept is None else kept.seen.version

    def _check(self, write: Write) -> None:
        kept = self._of(write.path).get(write.path)
        match write:
            case Create() if kept is not None:
                raise Conflict(f"{write.path} exists")
            case Update() | Check() if kept is None or kept.seen.version != write.version:
                raise Conflict(f"{write.path} was changed by somebody else")
            case _:
                pass
