"""A source under contract: the library on a stand-in, the share behind it, and the mistake that a test may seed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from infra.one_machine.loopback import LOOPBACK
from shared.domain.market.series import Dividend, Series, Split
from shared.ports import HistorySource
from shared.sources.alpaca import Alpaca, AlpacaKey
from shared.sources.yahoo import Yahoo
from tests.etrade.world import SteadyClock
from tests.patience import PATIENCE_S
from tests.sources.alpaca_standing import KEY_ID, SECRET, AlpacaStanding
from tests.sources.market import NOW, SYMBOL, Market, made
from tests.sources.standing import proxied, served
from tests.sources.yahoo_standing import YahooStanding

SOURCES = ("alpaca", "yahoo")
SPLIT_DAY, REVERSE_DAY, EX_DAY = date(2026, 2, 10), date(2026, 2, 25), date(2026, 1, 20)
SPLIT = Split(day=SPLIT_DAY, ratio=Decimal(3))
REVERSE = Split(day=REVERSE_DAY, ratio=Decimal("0.1"))
DIVIDEND = Dividend(day=EX_DAY, usd=Decimal("0.615"))
START, BEFORE = date(2026, 1, 12), date(2026, 3, 20)
KEY = AlpacaKey(key_id=KEY_ID, secret=SECRET)

Mistake = Callable[["World", HistorySource], HistorySource]


def rightly(_: "World", source: HistorySource) -> HistorySource:
    """Seed nothing."""
    return source


@dataclass(kw_only=True)
class World:
    """One source on its stand-in."""

    kind: str
    standing: AlpacaStanding | YahooStanding
    address: str
    certificate: str
    mistake: Mistake = rightly
    within_s: float = PATIENCE_S
    clock: SteadyClock = field(default_factory=lambda: SteadyClock(NOW))
    _open: HistorySource | None = None

    def fresh(self, *, within_s: float | None = None) -> Alpaca | Yahoo:
        """Make the source as it is."""
        seconds = within_s or self.within_s
        if self.kind == "alpaca":
            return Alpaca(KEY, clock=self.clock, address=self.address, verify=self.certificate, within_s=seconds)
        return Yahoo(clock=self.clock, proxy=self.address, verify=self.certificate, within_s=seconds)

    def daily(self, symbol: str = "BRK.B", *, start: date = START, before: date = BEFORE) -> Series | None:
        """Ask the source, the same one each time, through the mistake that is seeded."""
        self._open = self._open or self.mistake(self, self.fresh())
        return self._open.daily(symbol, start=start, before=before)

    def series(self, *, start: date = START, before: date = BEFORE) -> Series:
        """Ask for a share that is known."""
        found = self.daily(start=start, before=before)
        assert found is not None, "the share is known"
        return found

    def failure(self, symbol: str = "BRK.B") -> Exception | None:
        """Ask, and give what was raised."""
        try:
            self.daily(symbol)
        except Exception as problem:  # noqa: BLE001 - what it is, the promise judges
            return problem
        return None

    def charts(self) -> int:
        """Count the questions for bars that the stand-in got."""
        return sum(one.path.startswith(("/v2/stocks/bars", "/v8/finance/chart/")) for one in self.standing.asked)

    @property
    def market(self) -> Market:
        """The share behind the source."""
        return self.standing.market


@contextmanager
def opened(
    kind: str, certificate: Path, market: Market | None = None, *, symbol: str = SYMBOL, now: datetime = NOW
) -> Iterator[World]:
    """Start a stand-in with a share that splits, 3 for 1 and later 1 for 10, and pays a dividend before."""
    share = market or made(splits=[SPLIT, REVERSE], dividends=[DIVIDEND])
    standing = {"alpaca": AlpacaStanding, "yahoo": YahooStanding}[kind](market=share, symbol=symbol, now=now)
    with ExitStack() as until_closed:
        port = until_closed.enter_context(served(standing, certificate))
        address = f"https://{LOOPBACK}:{port}"
        if kind == "yahoo":
            address = until_closed.enter_context(proxied(port))
        yield World(kind=kind, standing=standing, address=address, certificate=str(certificate), clock=SteadyClock(now))
