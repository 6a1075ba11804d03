"""What a scan knows between its ticks, and how a scan that starts cold knows the same.

The books of the session are written once a minute (`books`), and when the scan is handed over; an instance that did not
scan the minute before reads them back and decides exactly as if it had never died. So it is with the watches over what
is held, which have a document each. Daily bars that were gathered after a symbol was first seen are taken up in the
next minute. Which symbols are hot (`domain.market.rounds`) is read in the receipt of the minute before, where the watch
list is longer than one call. Of a watch list that is longer than what is scanned the rank that was made before the open
chooses (`ranking`), for the whole session.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from shared.domain.base.calendar import TradingSession
from shared.domain.control.config import Universe
from shared.domain.market.daybook import DayBook
from shared.domain.market.receipts import Mark, marks, path_of
from shared.domain.market.rounds import SYMBOLS_A_CALL
from shared.domain.market.series import Series
from shared.errors import Malformed
from shared.ports import Severity
from shared.strategies.decide import voted
from shared.strategies.panel import Panel
from shared.strategies.watch import Watch
from shared.usecases.base.trading import TradingDesk
from shared.usecases.market.books import books_of, put_books
from shared.usecases.market.minutes import MINUTE, Minute
from shared.usecases.market.outages import Outages
from shared.usecases.market.ranking import Chosen, Measured, chosen, measured_of
from shared.usecases.market.warmth import known_days, prepared
from shared.usecases.orders.watches import Watched
from shared.usecases.scanning.record import Known, MemoryRecord, Notes, Record, Row, Unkept


class Memories:
    """The memories of one process: each is lent to one invocation at a time, the one given back last at first."""

    def __init__(self, make: "Callable[[], ScanMemory]") -> None:
        self._make = make
        self._free: deque[ScanMemory] = deque()

    @contextmanager
    def lent(self) -> Iterator["ScanMemory"]:
        """Lend a memory, a new one where all are lent."""
        try:
            memory = self._free.pop()
        except IndexError:
            memory = self._make()
        try:
            yield memory
        finally:
            self._free.append(memory)


class ScanMemory:
    """The watches of one session and what was already signalled; belongs to one invocation at a time.

    `held` are the watches over held symbols as the last tick left them; one that is not there has to be read. `differ`
    are the symbols of which the owner was told that their sources disagree, `hot` those for which a strategy voted in
    their last verdict. `outages` knows since when the broker quotes nothing, `panel` which strategies are asked,
    and `told` names those of whose being left out the owner knows. What is known of a session's days before is read
    once.
    """

    def __init__(
        self, outages: Outages | None = None, panel: Panel | None = None, *, record: MemoryRecord | None = None
    ) -> None:
        self.outages = outages or Outages()
        self.panel = panel or Panel()
        self.record = record or MemoryRecord(Record(Unkept()), 0)
        self.told: set[str] = set()
        self.watches: dict[str, Watch] = {}
        self.signalled: set[str] = set()
        self.held: dict[str, Watched] = {}
        self.differ: set[str] = set()
        self.hot: set[str] = set()
        self._session: TradingSession | None = None
        self._warm = False
        self._saved: datetime | None = None
        self._prepared: datetime | None = None
        self._days: dict[str, Series | None] = {}
        self._measured: Measured | None = None
        self._choice: tuple[Universe, Chosen] | None = None

    def chosen(self, desk: TradingDesk) -> Chosen:
        """Give whom the session's scan looks at beside what is held."""
        universe = desk.config.universe
        if self._choice is None or self._choice[0] != universe:
            watched, most = desk.mandate.watch_list, universe.scanned_max
            self._choice = universe, chosen(self._measured, watched, universe.weights, most=most)
        return self._choice[1]

    def read_ahead(self, desk: TradingDesk, session: TradingSession) -> None:
        """Read a session's days before, which takes long, while somebody else may still look; then `recall`."""
        if self._session != session:
            held = prepared(desk)  # before the days, so that what is gathered while they are read counts as more
            self._begin(desk, session)
            self._prepared = None if held is None else held.value.at
            self._days = {symbol: known_days(desk, symbol, session.day) for symbol in self.chosen(desk).scanned}

    def _begin(self, desk: TradingDesk, session: TradingSession) -> None:
        self._session, self._saved, self._prepared = session, None, None
        self._days, self.differ = {}, set()
        self._measured, self._choice = measured_of(desk, session.day), None

    def is_of(self, session: TradingSession, minute: datetime) -> bool:
        """Tell whether this memory is that of the minute before `minute`."""
        return self._session == session and self._saved == minute - MINUTE

    def recall(self, desk: TradingDesk, session: TradingSession, minute: datetime) -> None:
        """Make the memory that of the minute before `minute`: its own, or the store's.

        Books that cannot be read are reported and begin anew: what is held has to be looked after all the same.
        """
        self._warm = self.is_of(session, minute)
        if self._warm:
            self._learn(desk, session)
            return
        if self._session == session:
            self._doubt_days(desk)
        else:
            self._begin(desk, session)
        self.watches = {}
        self.signalled = set()
        self.held = {}
        self._recall_hot(desk, path_of(minute - MINUTE))
        for symbol, plain in books_of(desk, session):
            try:
                self.watches[symbol] = self._watch(desk, symbol, DayBook.from_plain(plain, session))
            except Malformed as problem:
                desk.journal.line("books_unreadable", Severity.ERROR, symbol=symbol, kind=type(problem).__name__)

    def began(self, desk: TradingDesk, session: TradingSession, minute: datetime, *, ahead: Notes) -> None:
        """Let the recording, if there is one, say with what a minute begins, after `recall`."""
        known = Known(watches=self.watches, days=self._days, left=self.panel.left)
        self.record.began(desk, session.day, minute, before=minute - MINUTE, warm=self._warm, ahead=ahead, known=known)

    def asks(self, desk: TradingDesk, at: datetime) -> None:
        """Let the recording, if there is one, say by what a tick is about to be judged."""
        self.record.asks(desk, lambda: self.panel.strategies(desk.config, at))

    def looked(self, desk: TradingDesk, at: datetime, rows: Sequence[Row]) -> None:
        """Let the recording, if there is one, say what a tick looked at."""
        known = Known(watches=self.watches, days=self._days, left=self.panel.left)
        self.record.looked(desk, at, rows, known=known)

    def heed(self, symbol: str, code: str) -> None:
        """Take from a symbol's verdict, as its receipt has it, whether it is hot."""
        if voted(code, self.panel.asked):
            self.hot.add(symbol)
        else:
            self.hot.discard(symbol)

    def heed_all(self, notes: Mapping[str, Sequence[Mark]]) -> None:
        """Take who is hot from the last lines of a whole minute's receipt, as whoever begins cold after it does."""
        self.hot = set()
        for symbol, lines in notes.items():
            self.heed(symbol, lines[-1].code)

    def go_on_from(self, left: Minute | None, notes: Mapping[str, Sequence[Mark]]) -> None:
        """Take over what whoever scanned before knew of missing quotes, and who is hot by what it looked at since."""
        self.outages.go_on_from(None if left is None else left.missing)
        for symbol, lines in notes.items():
            self.heed(symbol, lines[-1].code)

    def _recall_hot(self, desk: TradingDesk, receipt: str) -> None:
        """Take who was hot from a minute's receipt; nobody where one call takes all, or there is none to read."""
        self.hot = set()
        document = desk.store.get(receipt) if len(desk.mandate.watch_list) > SYMBOLS_A_CALL else None
        if document is None:
            return
        try:
            self.heed_all({symbol: marks(document.data, symbol) for symbol in document.data["symbols"]})
        except (Malformed, LookupError, AttributeError, TypeError, ValueError) as problem:
            kind = type(problem).__name__
            desk.journal.line("receipt_unreadable", Severity.ERROR, path=receipt, kind=kind)

    def _learn(self, desk: TradingDesk, session: TradingSession) -> None:
        """Read the history of the symbols that have none, once each time that more was gathered."""
        cold = [watch for watch in self.watches.values() if not watch.knows_days]
        held = prepared(desk) if cold else None
        if held is None or held.value.at == self._prepared:
            return
        for watch in cold:
            self._days[watch.symbol] = known_days(desk, watch.symbol, session.day)
            watch.know(self._days[watch.symbol])
        self._prepared = held.value.at

    def _doubt_days(self, desk: TradingDesk) -> None:
        """Ask again for the days of the symbols that have none, once each time that more was gathered."""
        held = prepared(desk)
        if held is not None and held.value.at != self._prepared:
            known = {symbol for symbol, watch in self.watches.items() if watch.knows_days}
            self._days = {symbol: days for symbol, days in self._days.items() if symbol in known}
            self._prepared = held.value.at

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
        books = {symbol: watch.book.to_plain() for symbol, watch in self.watches.items()}
        put_books(desk, session, minute, books)
        self.record.saved(desk, minute)
        for symbol, one in list(self.held.items()):
            if one.value != one.stored:
                self.hold(symbol, one.kept(desk))

    def forget(self) -> None:
        """Let the next `recall` read the store's books: these are not what the scan goes on from."""
        self._saved = None

    def hold(self, symbol: str, after: Watched | None) -> None:
        """Go on from this watch over a held symbol; from what the store has when it is None."""
        if after is None:
            self.held.pop(symbol, None)
        else:
            self.held[symbol] = after

    def _watch(self, desk: TradingDesk, symbol: str, book: DayBook) -> Watch:
        if symbol not in self._days:
            self._days[symbol] = known_days(desk, symbol, book.session.day)
        return Watch(symbol, book, self._days[symbol])
