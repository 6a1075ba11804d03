"""The day books of a session as the scan stores them: fifty symbols to a document, compressed.

The scan writes them once a minute and reads them back where it starts cold; whoever keeps the bars reads them when the
session is over. They stay for a week.
"""

import base64
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.codec import dumps, loads
from shared.domain.base.calendar import TradingSession
from shared.errors import Malformed
from shared.ports import Put, Severity
from shared.usecases.base.desk import Desk

SYMBOLS_A_DOCUMENT = 50
MOST_DOCUMENTS = 100
QUICK = 3
"""How well books are compressed: in a third of the time of 6, and a fifth larger; they are written each minute."""
_DAMAGE = (Malformed, AttributeError, LookupError, TypeError, ValueError, zlib.error)


def pack(plain: object, *, level: int = 6) -> str:
    """Compress JSON data to text, as well as zlib does at a level from 1 to 9."""
    return base64.b64encode(zlib.compress(dumps(plain), level)).decode()


def unpack(packed: str) -> Any:
    """Give the JSON data that `pack` compressed; raises Malformed."""
    try:
        return loads(zlib.decompress(base64.b64decode(packed)))
    except _DAMAGE as problem:
        raise Malformed(f"not compressed JSON: {type(problem).__name__}") from None


def put_books(desk: Desk, session: TradingSession, minute: datetime, books: Mapping[str, object]) -> None:
    """Write the plain books of a session, by symbol, as they are after `minute`."""
    symbols = sorted(books)
    for first in range(0, len(symbols), SYMBOLS_A_DOCUMENT):
        packed = pack({name: books[name] for name in symbols[first : first + SYMBOLS_A_DOCUMENT]}, level=QUICK)
        data = {"session": session.day.isoformat(), "minute": minute.isoformat(), "books": packed}
        desk.store.commit([Put(_path(session, first // SYMBOLS_A_DOCUMENT), data)])


def books_of(desk: Desk, session: TradingSession) -> Iterator[tuple[str, object]]:
    """Give each symbol's plain book of a session; a document that cannot be read is reported and left out."""
    for number in range(MOST_DOCUMENTS):
        row = desk.store.get(_path(session, number))
        if row is None:
            return
        try:
            yield from unpack(row.data["books"]).items()
        except _DAMAGE as problem:
            desk.journal.line("books_unreadable", Severity.ERROR, path=row.path, kind=type(problem).__name__)


def _path(session: TradingSession, number: int) -> str:
    return f"bars/{session.day:%Y%m%d}-{number}"
