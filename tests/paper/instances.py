"""Several instances of a function on one paper account: every store call takes time, and another may come first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import TypeVar

from infra.one_machine.clock import KernelClock
from infra.one_machine.kernel import Kernel
from infra.one_machine.memory_store import MemoryStore
from shared.codec import decode
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Account, Ticket
from shared.domain.broker.outcomes import Accepted, Previewed
from shared.domain.market.quotes import Quote, Quotes, QuoteStatus
from shared.errors import Conflict
from shared.paper.book import PaperBook, PaperOrder
from shared.paper.books import BOOK
from shared.paper.broker import PaperBroker, Source
from shared.ports import Document, Put, Store, Update, Where, Write
from tests.etrade.world import KeptLines

T = TypeVar("T")
START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CASH = Decimal(10_000)
KEY = "invented"
SYMBOLS = ("AIG", "BAC")
ASK, BID = Decimal("10.02"), Decimal("10.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that one instance does: `what` is quote, buy, sell, stop or cancel, `which` an order taken before."""

    instance: int
    at_s: float
    what: str
    symbol: str = "AIG"
    quantity: int = 1
    cents: int = 0
    now: bool = False
    which: int = 0


class SlowStore:
    """A Store whose calls take a while before and after their effect."""

    def __init__(self, store: Store, kernel: Kernel, seed: int) -> None:
        self._store = store
        self._kernel = kernel
        self._chance = Random(f"slow/{seed}")

    def get(self, path: str) -> Document | None:
        """Read one document."""
        return self._slowly(lambda: self._store.get(path))

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none."""
        return self._slowly(lambda: self._store.commit(writes))

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents."""
        return self._slowly(lambda: self._store.query(collection, *where, order_by=order_by, limit=limit))

    def _slowly(self, effect: Callable[[], T]) -> T:
        self._kernel.sleep(self._chance.uniform(0, 0.1))
        answer = effect()
        self._kernel.sleep(self._chance.uniform(0, 0.1))
        return answer


class CarelessStore(SlowStore):
    """A Store that forgets versions: what compare-and-set is there to prevent happens."""

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes whatever was written since."""
        blind = [Put(write.path, write.data) if isinstance(write, Update) else write for write in writes]
        return super().commit(blind)


class Floor:
    """The market, which moves once a second, and the instances that trade on it."""

    def __init__(self, *, seed: int, instances: int = 3, careless: bool = False) -> None:
        self.kernel = Kernel(start=START, seed=seed)
        self.store = MemoryStore()
        self._chance = Random(f"market/{seed}")
        self.shown: dict[tuple[str, Side, datetime], int] = {}
        self._markets: dict[tuple[str, datetime], Quote] = {}
        self.accepted: list[tuple[int, Ticket]] = []
        self.journal = KeptLines()
        kind = CarelessStore if careless else SlowStore
        source = Source(accounts=self._accounts, quotes=self._quotes)
        self.brokers = [
            PaperBroker(
                source=source, store=kind(self.store, self.kernel, seed + number), clock=KernelClock(self.kernel),
                journal=self.journal, capital_usd=CASH,
            )
            for number in range(instances)
        ]  # fmt: skip

    def play(self, deeds: Sequence[Deed]) -> None:
        """Let every deed happen at its instant, each in an invocation of its own, and the market go on after them."""
        for number, deed in enumerate(deeds):
            at = START + timedelta(seconds=deed.at_s)
            self.kernel.spawn(partial(self._do, deed, number), at=at, name=f"{number}")
        last = max((deed.at_s for deed in deeds), default=0.0)
        self.kernel.run(START + timedelta(seconds=last + 5))
        assert self.kernel.idle

    def book(self) -> PaperBook:
        """Read the account."""
        held = self.store.get(BOOK)
        return PaperBook(account_mode="MARGIN", cash=CASH) if held is None else decode(PaperBook, held.data)

    def orders(self) -> list[PaperOrder]:
        """Read every order, live or ended."""
        rows = [row for row in self.store.query("paper") if row.path != BOOK]
        return [*self.book().orders, *(decode(PaperOrder, row.data) for row in rows)]

    def _do(self, deed: Deed, number: int) -> None:
        broker = self.brokers[deed.instance % len(self.brokers)]
        match deed.what:
            case "quote":
                broker.quotes(SYMBOLS)
                broker.meet()
            case "cancel":
                if self.accepted:
                    broker.cancel(KEY, self.accepted[deed.which % len(self.accepted)][0])
            case _:
                self._order(broker, _ticket(deed, number))

    def _order(self, broker: PaperBroker, ticket: Ticket) -> None:
        try:
            previewed = broker.preview(KEY, ticket)
        except Conflict:  # others were first each time: the message would come again
            return
        if isinstance(previewed, Previewed):
            deadline = self.kernel.now() + timedelta(seconds=5)
            answer = broker.place(KEY, ticket, previewed.preview_ids, deadline=deadline)
            if isinstance(answer, Accepted):
                self.accepted.append((answer.order_id, ticket))

    def _quotes(self, symbols: Sequence[str], **_: object) -> Quotes:
        self.kernel.sleep(self._chance.uniform(0, 0.2))
        found = {symbol: self._market(symbol) for symbol in symbols}
        self.kernel.sleep(self._chance.uniform(0, 0.2))
        return Quotes({symbol: replace(quote, received_at=self.kernel.now()) for symbol, quote in found.items()})

    def _market(self, symbol: str) -> Quote:
        """Give the market of this second, the same for all who ask."""
        at = self.kernel.now().replace(microsecond=0)
        if (symbol, at) not in self._markets:
            step = Decimal(self._chance.randint(-3, 3)) / 100
            sizes = [self._chance.choice((0, 1, 5, 40)) for _ in range(2)]
            self._markets[symbol, at] = Quote(
                symbol=symbol, bid=BID + step, bid_size=sizes[0], ask=ASK + step, ask_size=sizes[1], last=BID + step,
                day_volume=1, previous_close=BID, at=at, received_at=at, status=QuoteStatus.REALTIME, source="etrade",
            )  # fmt: skip
        quote = self._markets[symbol, at]
        self.shown[symbol, Side.BUY, at], self.shown[symbol, Side.SELL, at] = quote.ask_size, quote.bid_size
        return quote

    def _accounts(self) -> tuple[Account, ...]:
        return (Account(key=KEY, number="1", mode="MARGIN", active=True),)


def _ticket(deed: Deed, number: int) -> Ticket:
    side = Side.BUY if deed.what == "buy" else Side.SELL
    price = (ASK if side is Side.BUY else BID) + Decimal(deed.cents) / 100
    stop = deed.what == "stop"
    term = Term.IMMEDIATE_OR_CANCEL if deed.now and not stop else Term.GOOD_UNTIL_CANCEL
    return Ticket(
        client_order_id=f"Deed{number}", symbol=deed.symbol, side=side, quantity=deed.quantity,
        price_type=PriceType.STOP if stop else PriceType.LIMIT, term=term, limit_price=None if stop else price,
        stop_price=price - Decimal("0.02") if stop else None,
    )  # fmt: skip
