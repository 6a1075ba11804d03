"""The scan alone on a market: its invocations one after another and over one another, as its ticks come.

Each invocation is one of a kernel's; the broker gives the market's quotes of the instant in which it is asked, and
notes when that was. Store and bus take no time, so that what two runs decide differs by what they know alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from infra.brokersim.market import DailyBar, Market, daily_bars, open_market
from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.history import MarketHistory
from infra.one_machine.kernel import Kernel
from infra.one_machine.memory_store import MemoryStore
from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.control.config import StrategyConfig
from shared.domain.market.quotes import Quote, Quotes, QuoteStatus
from shared.guard import Guard, GuardedStore
from shared.ports import Document
from shared.strategies.config import load
from shared.topology import TOPOLOGY
from shared.usecases.base.desk import put
from shared.usecases.base.listing import OrderLists
from shared.usecases.base.trading import Mandate, TradingDesk
from shared.usecases.market.minutes import MINUTE
from shared.usecases.market.warmth import Warmth
from shared.usecases.scanning.scan import scan
from shared.usecases.scanning.scan_memory import ScanMemory
from tests.usecases.exchange import Exchange, ScriptedBroker
from tests.usecases.post import SCAN, ListJournal, SilentBus

DECIDED = ("signals", "receipts", "bars", "watches", "minutes")
"""The collections in which the scan leaves what it decided and saw."""


class MarketBroker(ScriptedBroker):
    """The broker's quotes, which take `takes_s` seconds, and every instant at which somebody asked."""

    def __init__(self, market: Market, kernel: Kernel) -> None:
        super().__init__(Exchange(kernel), lambda _name, effect, _writes=(): effect())
        self.asked: list[datetime] = []
        self.takes_s: Callable[[], float] = lambda: 0.0
        self._market = market
        self._kernel = kernel

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote all of the symbols as they stand at this instant."""
        at = self._kernel.now()
        self.asked.append(at)
        found = {symbol: self.quote(symbol, at) for symbol in (*symbols, *others)}
        self._kernel.sleep(self.takes_s())
        return Quotes({symbol: quote for symbol, quote in found.items() if quote is not None})

    def quote(self, symbol: str, at: datetime) -> Quote | None:
        """Quote a symbol as it stands at an instant, None before its first row."""
        row = self._market.quote(symbol, at)
        if row is None:
            return None
        return Quote(
            symbol=symbol, bid=row.bid, bid_size=row.bid_size, ask=row.ask, ask_size=row.ask_size, last=row.last,
            day_volume=row.day_volume, previous_close=self._market.previous_close(symbol), at=row.at, received_at=at,
            status=QuoteStatus.REALTIME, source="etrade",
        )  # fmt: skip


class Shifts:
    """A market day, a generated one where no other is given, and whoever scans it; `bars` are of the days before."""

    def __init__(
        self, *, symbols: int = 2, config: str = "demo", seed: int = 1, market: Market | None = None,
        bars: Mapping[str, Sequence[DailyBar]] | None = None,
    ) -> None:  # fmt: skip
        market = market or open_market("generated", seed=seed)
        session = session_of(market.day)
        assert session is not None
        self.session: TradingSession = session
        self.kernel = Kernel(start=session.opens_at, seed=seed)
        self.store, self.journal = MemoryStore(), ListJournal()
        self.broker = MarketBroker(market, self.kernel)
        self._watched = market.symbols[:symbols]
        self._learn(bars or daily_bars("generated", seed=seed))
        self.desk = self._desk(load(config))

    def tick(self, minute: int, memory: ScanMemory, *, late_s: float = 0.02, name: str = SCAN) -> None:
        """Let the tick of a minute of the session come so late."""
        begins = self.begins(minute)
        published = begins + timedelta(seconds=late_s)
        self.kernel.spawn(lambda: scan(self.desk.of_this_minute, memory, published), at=published, name=name)

    def begins(self, minute: int) -> datetime:
        """Give when a minute of the session begins."""
        return self.session.opens_at + minute * MINUTE

    def run(self, minute: float) -> None:
        """Let time pass until just before so many minutes after the open."""
        self.kernel.run(self.session.opens_at + minute * MINUTE - timedelta(microseconds=1))

    def seconds(self) -> list[int]:
        """Give the seconds after the open at which somebody asked for quotes, in their order."""
        return [int((at - self.session.opens_at).total_seconds()) for at in self.broker.asked]

    def left(self, collections: Iterable[str] = DECIDED) -> dict[str, Document]:
        """Give what the scan left, by path, without the versions and holders that chance draws."""
        rows = [row for name in collections for row in self.store.query(name)]
        plain = {row.path: {**row.data, "holder": "", "until": ""} for row in rows}
        return {path: Document(path=path, data=data, version="") for path, data in sorted(plain.items())}

    def _learn(self, bars: Mapping[str, Sequence[DailyBar]]) -> None:
        history = MarketHistory.of(bars)
        for symbol in self._watched:
            series = history.daily(symbol, start=date(2000, 1, 1), before=self.session.day)
            assert series is not None
            self.store.commit([put(f"history/{symbol}", Warmth(session=self.session.day, series=series))])

    def _desk(self, config: StrategyConfig) -> TradingDesk:
        clock = KernelClock(self.kernel)
        return TradingDesk(
            actor=SCAN, clock=clock, chance=SeededChance(seed=1, name="shifts"), journal=self.journal,
            store=GuardedStore(self.store, Guard(TOPOLOGY.function(SCAN), self.journal)),
            bus=SilentBus(), broker=self.broker, config=config,
            lists=OrderLists(broker=self.broker, clock=clock, journal=self.journal),
            mandate=Mandate(account_id="key", capital_usd=Decimal(100_000), watch_list=self._watched),
        )  # fmt: skip
