"""The scan of more symbols than one call takes: whom each second asks for, and what the others are told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from shared.domain.market.quotes import Quote, Quotes
from shared.domain.market.receipts import Mark, marks
from shared.domain.market.rounds import SYMBOLS_A_CALL
from shared.errors import Throttled
from shared.ports import Put
from shared.usecases.base.desk import put
from shared.usecases.base.trading import Mandate, TradingDesk
from shared.usecases.market.minutes import MINUTE
from shared.usecases.market.warmth import Warmth
from shared.usecases.scanning.scan import TICKS, scan
from shared.usecases.scanning.scan_memory import ScanMemory
from shared.usecases.scanning.scanned import SECOND
from tests.domain.days import series
from tests.strategies.seen import ONE_VOTE
from tests.usecases.bench import Bench
from tests.usecases.exchange import ScriptedBroker
from tests.usecases.post import SCAN

WATCHED = tuple(f"ZX{first}{second}" for first in "ABCD" for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
HOT = ("ZXBB", "ZXCC", "ZXDD")
BARS = 250
OPENS = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)


class Market(ScriptedBroker):
    """Quotes everything; `HOT` has risen enough for a vote. Beside what is due, `room` symbols fit into a second."""

    def __init__(self, bench: Bench, *, room: int = 30) -> None:
        super().__init__(bench.exchange, bench.gate.pass_)
        self._kernel = bench.kernel
        self.room = room
        self.broken: Callable[[datetime], bool] = lambda _at: False
        self.due: dict[datetime, list[str]] = {}
        self.asked: dict[datetime, list[str]] = {}

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote what is due and so many others as have room; what is broken fails for what is due."""
        assert next_at is not None
        at = next_at - SECOND
        self.due[at], self.asked[at] = list(symbols), [*symbols, *others[: self.room]]
        failed = dict.fromkeys(symbols, Throttled("too many")) if self.broken(at) else {}
        found = {one: self._one(one) for one in self.asked[at] if one not in failed}
        return Quotes(found, failed=failed, unasked=others[self.room :])

    def _one(self, symbol: str) -> Quote:
        last = Decimal(103) if symbol in HOT else Decimal(100)
        now, cent = self._kernel.now(), Decimal("0.01")
        plain = self._exchange.quote("IBM")
        return replace(
            plain, symbol=symbol, bid=last - cent, ask=last + cent, last=last, previous_close=Decimal(100), at=now,
            received_at=now,
        )  # fmt: skip


class Watching:
    """A scan's desk over a long list, and minutes of it."""

    def __init__(self, *, watched: Sequence[str] = WATCHED, room: int = 30) -> None:
        self.bench = Bench(latency_s=(0.0001, 0.0003), start=OPENS)
        self.market = Market(self.bench, room=room)
        mandate = Mandate(account_id="key", capital_usd=Decimal(100_000), watch_list=tuple(watched))
        self.desk: TradingDesk = replace(self.bench.desks[SCAN], broker=self.market, mandate=mandate, config=ONE_VOTE)
        self.memory = ScanMemory()
        day = OPENS.date()
        for symbol in watched:
            known = Warmth(session=day, series=series(BARS, before=day, symbol=symbol))
            self.bench.store.commit([put(f"history/{symbol}", known)])

    def minute(self, number: int, *, anew: Callable[[], ScanMemory] | None = None) -> datetime:
        """Scan one minute alone, the first one is 0; with `anew` by an instance that has seen nothing."""
        begins = OPENS + number * MINUTE
        if anew is not None:
            self.memory = anew()
        self.bench.kernel.run(begins)
        self.bench.kernel.spawn(lambda: scan(self.desk, self.memory, begins), name=SCAN)
        self.bench.kernel.run(begins + MINUTE - timedelta(milliseconds=1))
        self.bench.kernel.crash(SCAN)
        row = self.bench.store.get(f"minutes/{begins:%Y%m%dT%H%M}")
        assert row is not None
        self.bench.store.commit([Put(row.path, {**row.data, "ahead": []})])  # handed over without a look ahead
        return begins

    def lines(self, begins: datetime, symbol: str) -> tuple[Mark, ...]:
        """Read a symbol's receipt of a minute."""
        row = self.bench.store.get(f"receipts/{begins:%Y%m%dT%H%M}")
        assert row is not None
        return marks(row.data, symbol)

    def due(self, begins: datetime) -> list[list[str]]:
        """Give what was due in each second of a minute."""
        return [sorted(self.market.due[begins + one * SECOND]) for one in range(TICKS)]


def test_what_a_strategy_votes_for_is_due_each_second() -> None:
    """A symbol that was found to be near a decision is due in every second from then on, and no other one is."""
    made = Watching()
    first, second = made.minute(0), made.minute(1)
    found = [one for one, due in enumerate(made.due(first)) if due == sorted(HOT)]
    assert found == list(range(found[0], TICKS))
    assert found[0] <= 4
    assert made.due(second) == [sorted(HOT)] * TICKS


def test_the_others_come_round() -> None:
    """Nobody of the list waits longer than the rounds take, in one minute and from one to the next."""
    made = Watching()
    begins = made.minute(0)
    for symbol in WATCHED:
        seconds = [at for at, asked in sorted(made.market.asked.items()) if symbol in asked]
        gaps = [later - earlier for earlier, later in pairwise(seconds)]
        assert max(gaps) <= 5 * SECOND
        assert seconds[0] <= begins + 4 * SECOND


def test_who_is_not_asked_for_keeps_the_verdict() -> None:
    """A second in which a symbol is not asked for leaves no line: what was said of it last still holds."""
    made = Watching()
    begins = made.minute(0)
    assert [line.code for line in made.lines(begins, "ZXAB")] == [
        "momentum:RISE_TOO_SMALL+opening_range:OPENING_RANGE_NOT_OVER"
    ]
    assert [line.code for line in made.lines(begins, "ZXBB")] == ["RSI_UNKNOWN"]
    assert made.lines(begins, "ZXDZ")[0].second > 0


def test_a_call_that_fails_costs_its_own_symbols() -> None:
    """Where the call for what is due fails, that has the failure as its verdict, and the others are judged."""
    made = Watching()
    made.market.broken = lambda at: at.second == 30
    begins = made.minute(0)
    codes = [line.code for line in made.lines(begins, "ZXBB")]
    assert codes == ["RSI_UNKNOWN", "Throttled", "RSI_UNKNOWN"]
    assert made.due(begins)[31] == sorted(HOT)
    assert made.lines(begins, "ZXBB")[1].second == 30


class Forgetful(ScanMemory):
    """A mistake: what is hot is not read back."""

    def _recall_hot(self, desk: TradingDesk, receipt: str) -> None:
        self.hot = set()


def second_minute(anew: Callable[[], ScanMemory] | None, *, broken: int | None = None) -> list[list[str]]:
    """Give whom each second of a second minute asks for, by the scan of the first one or by one that begins `anew`."""
    made = Watching()
    made.market.broken = lambda at: at.second == broken
    made.minute(0)
    begins = made.minute(1, anew=anew)
    return [made.market.asked[begins + one * SECOND] for one in range(TICKS)]


@pytest.mark.parametrize("broken", [None, 58])
def test_a_cold_scan_asks_as_a_warm_one(broken: int | None) -> None:
    """An instance that begins with a minute asks in each second for whom the one before would have asked."""
    assert second_minute(ScanMemory, broken=broken) == second_minute(None, broken=broken)


def test_a_scan_that_forgets_who_is_hot_is_found() -> None:
    """An instance that begins without the hot symbols of the minute before asks otherwise."""
    assert second_minute(Forgetful) != second_minute(None)


def test_a_receipt_that_cannot_be_read_makes_nobody_hot() -> None:
    """A cold scan over a damaged receipt begins without hot symbols, says so, and finds them again."""
    made = Watching()
    path = f"receipts/{made.minute(0):%Y%m%dT%H%M}"
    made.bench.store.commit([Put(path, {"symbols": {"ZXAA": [["x"]]}})])
    begins = made.minute(1, anew=ScanMemory)
    assert made.due(begins)[0] == []
    assert made.due(begins)[10] == sorted(HOT)
    assert [line["path"] for line in made.bench.journal.named("receipt_unreadable")] == [path]


def test_as_many_as_one_call_takes_are_all_due() -> None:
    """Up to fifty symbols are due each second in the order of the watch list, whatever is hot."""
    made = Watching(watched=WATCHED[:SYMBOLS_A_CALL])
    begins = made.minute(0)
    assert all(made.market.due[begins + one * SECOND] == list(WATCHED[:SYMBOLS_A_CALL]) for one in range(TICKS))
