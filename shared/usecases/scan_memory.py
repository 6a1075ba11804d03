"""What a scan knows between its ticks, and how a scan that starts cold knows the same.

The books of the session are written once a minute, fifty symbols to a document, compressed; an instance that did not
scan the minute before reads them back and decides exactly as if it had never died. So it is with the watches over
what is held, which have a document each.
"""

import base64
import zlib
from datetime import datetime

from shared.codec import dumps, loads
from shared.domain.calendar import TradingSession
from shared.domain.daybook import DayBook
from shared.errors import Malformed
from shared.ports import Data, Put, Severity
from shared.strategies.view import Watch
from shared.usecases.minutes import MINUTE
from shared.usecases.prepare import warm_bars
from shared.usecases.trading import TradingDesk
from shared.usecases.watches import Watched

SYMBOLS_A_DOCUMENT = 50
_DAMAGE = (Malformed, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, zlib.error)


class ScanMemory:
    """The watches of one session and what was already signalled; belongs to one instance.

    `held` are the watches over held symbols as the last tick left them; one that is not there has to be read.
    """

    def __init__(self) -> None:
        self.watches: dict[str, Watch] = {}
        self.signalled: set[str] = set()
        self.held: dict[str, Watched] = {}
        self._session: TradingSession | None = None
        self._saved: datetime | None = None

    def recall(self, desk: TradingDesk, session: TradingSession, minute: datetime) -> None:
        """Make the memory that of the minute before `minute`: its own, or the store's.

        Books that cannot be read are reported and begin anew: what is held has to be looked after all the same.
        """
        warm = self._session == session and self._saved == minute - MINUTE
        if warm:
            return
        self._session = session
        self.watches = {}
        self.signalled = set()
        self.held = {}
        for row in desk.store.query("bars"):
            try:
                self._restore(desk, row.data, session)
            except _DAMAGE as problem:
                desk.journal.line("books_unreadable", Severity.ERROR, path=row.path, kind=type(problem).__name__)

    def _restore(self, desk: TradingDesk, data: Data, session: TradingSession) -> None:
        if data["session"] != session.day.isoformat():
            return
        packed = zlib.decompress(base64.b64decode(data["books"]))
        for symbol, plain in loads(packed).items():
            self.watches[symbol] = self._watch(desk, symbol, DayBook.from_plain(plain, session))

    def watch(self, desk: TradingDesk, symbol: str) -> Watch:
        """Give a symbol's watch, a new one when it was never seen this session."""
        if symbol not in self.watches:
            if self._session is None:
                raise RuntimeError("a scan recalls its session before it watches")
            self.watches[symbol] = self._watch(desk, symbol, DayBook(self._session))
        return self.watches[symbol]

    def save(self, desk: TradingDesk, session: TradingSession, minute: datetime) -> None:
        """Write every book of the session and every watch as it is after `minute`."""
        self._saved = minute
        symbols = sorted(self.watches)
        for first in range(0, len(symbols), SYMBOLS_A_DOCUMENT):
            books = {name: self.watches[name].book.to_plain() for name in symbols[first : first + SYMBOLS_A_DOCUMENT]}
            packed = base64.b64encode(zlib.compress(dumps(books), 6)).decode()
            data = {"session": session.day.isoformat(), "minute": minute.isoformat(), "books": packed}
            desk.store.commit([Put(f"bars/{first // SYMBOLS_A_DOCUMENT}", data)])
        for symbol, one in list(self.held.items()):
            if one.value != one.stored:
                self.hold(symbol, one.kept(desk))

    def hold(self, symbol: str, after: Watched | None) -> None:
        """Go on from this watch over a held symbol; from what the store has when it is None."""
        if after is None:
            self.held.pop(symbol, None)
        else:
            self.held[symbol] = after

    def _watch(self, desk: TradingDesk, symbol: str, book: DayBook) -> Watch:
        return Watch(symbol, book, warm_bars(desk.store, symbol, book.session.day))
