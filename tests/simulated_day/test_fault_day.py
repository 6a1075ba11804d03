"""Sources that are down since the morning, and E*TRADE's Market module for ten minutes: nothing is bought blind."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from infra.brokersim.market import daily_bars
from infra.one_machine.history import MarketHistory
from infra.one_machine.kernel import Kernel
from infra.simulated_day.hours import Hours
from infra.simulated_day.machine import Machine, Surroundings
from infra.simulated_day.result import DayResult
from infra.simulated_day.run import run_day
from shared.codec import encode
from shared.domain.market.series import Series
from shared.errors import SourceDown
from shared.ports import HistorySource, Put
from shared.usecases.market.warmth import Warmth
from tests.between import Between
from tests.etrade.world import response
from tests.simulated_day.made import HALF_DAY, SYMBOL, at, market_file
from tests.simulated_day.seeded import SEED, last_hour

DOWN_FOR = timedelta(minutes=10)
YESTERDAY = HALF_DAY - timedelta(days=2)
"""The trading day before: Thanksgiving lies between."""


class Down(HistorySource):
    """A source that never answers."""

    name = "market"

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Fail."""
        raise SourceDown("market: nobody answers")


DOWN = Down()


class PricedElsewhere(Down):
    """Beside the bars that it never gives, it says a price far below the market's, traded just before it is asked."""

    def __init__(self, outage: "Outage") -> None:
        self._outage = outage

    def last(self, symbol: str) -> tuple[Decimal, datetime] | None:
        """Say that the share has lost nine tenths."""
        assert self._outage.kernel is not None
        return Decimal("1.23"), self._outage.kernel.now() - timedelta(seconds=3)


class Outage(Between):
    """Market answers 503 for a while; everything else goes on."""

    def __init__(self, since: datetime) -> None:
        super().__init__()
        self.since, self.until = since, since + DOWN_FOR
        self.kernel: Kernel | None = None
        self.refused = 0

    def before(self, inner: BaseAdapter) -> BaseAdapter:
        """Stand before a connection."""
        self.inner = inner
        return self

    def carry(self, request: PreparedRequest) -> Response:
        """Carry one request, or refuse it."""
        assert self.kernel is not None
        if "/market/quote/" in str(request.url) and self.since <= self.kernel.now() < self.until:
            self.refused += 1
            return response(request, 503, b"<html>Service Unavailable</html>")
        return super().carry(request)


def play(folder: Path, outage: Outage, *, starts: datetime, source: HistorySource = DOWN) -> DayResult:
    """Play the end of a half-day on the bars of the session before, with every source of bars down: `source`."""
    market = market_file(folder)
    bars = MarketHistory.of(daily_bars(str(market), seed=SEED))

    def ready(machine: Machine) -> None:
        outage.kernel = machine.kernel
        found = bars.daily(SYMBOL, start=date(2013, 1, 1), before=YESTERDAY + timedelta(days=1))
        assert found is not None
        machine.world.store.commit([Put(f"history/{SYMBOL}", encode(Warmth(session=YESTERDAY, series=found)))])

    def hours(usual: Hours) -> Hours:
        return replace(last_hour(usual), starts=starts, signs_in=starts + timedelta(seconds=10))

    around = Surroundings(hours=hours, http=outage.before, history=lambda _: source, ready=ready)
    return run_day(
        market_spec=str(market), config="demo", seed=SEED, speed="max", state=folder / "run",
        on_progress=lambda _: None, around=around,
    )  # fmt: skip


def codes(result: DayResult, since: datetime, until: datetime) -> set[str]:
    """Give what was said of the symbol in the minutes of a span, but for its last: a call is repeated past its end."""
    last = until - timedelta(minutes=1)
    minutes = [one for one in result.book.receipts if since <= datetime.fromisoformat(one.minute) < last]
    return {code for one in minutes for _, code in one.symbols[SYMBOL]}


@pytest.mark.days
def test_what_is_held_stays_protected_while_market_is_down(tmp_path: Path) -> None:
    """Ten minutes without quotes leave the stop at the broker as it is, and the first good tick judges again."""
    outage = Outage(at(12, 35))
    result = play(tmp_path, outage, starts=at(12, 10))
    assert list(result.summary.violations) == []
    assert outage.refused > 0
    bought, stop, left = result.ledger.orders
    assert bought.placed_at < outage.since < outage.until < left.placed_at
    (cancelled,) = [one.at for one in stop.history if one.event == "cancel_requested"]
    assert stop.placed_at < outage.since < outage.until < cancelled
    assert codes(result, outage.since, outage.until) == {"held+ServerFailure"}
    (back,) = [one for one in result.book.receipts if datetime.fromisoformat(one.minute) == outage.until]
    assert back.symbols[SYMBOL][0] == (0, "held")
    assert "order_settlement: scan_blind" in result.troubles


@pytest.mark.days
def test_nothing_is_bought_while_market_is_down(tmp_path: Path) -> None:
    """Where an outage begins before an entry nothing is decided within it, and shares are bought after it."""
    outage = Outage(at(11, 50))
    result = play(tmp_path, outage, starts=at(11, 40))
    assert list(result.summary.violations) == []
    assert codes(result, outage.since, outage.until) == {"ServerFailure"}
    decided = [one.decided_at for one in result.book.signals]
    assert decided
    assert min(decided) > outage.until
    assert [fill.action for fill in result.ledger.fills] == ["BUY", "SELL"]


@pytest.mark.days
def test_a_price_from_elsewhere_is_told_and_changes_nothing(tmp_path: Path) -> None:
    """That somebody says a ruinous price in an outage sells nothing and moves no stop: the day is as without him."""
    days, lines = [], list[dict[str, object]]()
    for name in ("alone", "priced"):
        outage, folder = Outage(at(12, 35)), tmp_path / name
        folder.mkdir()
        source = PricedElsewhere(outage) if name == "priced" else DOWN
        days.append(play(folder, outage, starts=at(12, 10), source=source))
        lines = [json.loads(line) for line in (folder / "run" / "journal.jsonl").read_text().splitlines()]
    alone, priced = days
    assert {line["symbols"] for line in lines if line["event"] == "fallback_kept"} == {SYMBOL}
    (told,) = [line for line in lines if line["event"] == "notice" and line["kind"] == "prices_elsewhere"]
    assert "1.23 USD" in str(told["text"])
    assert decided(priced) == decided(alone)
    assert len(decided(alone)) == 3


def decided(result: DayResult) -> list[tuple[object, ...]]:
    """Give what was decided of each order, and all that the scan said of the symbol."""
    said = frozenset(code for one in result.book.receipts for _, code in one.symbols[SYMBOL])
    return [
        (one.action, one.quantity, one.price_type, one.limit_price, one.stop_price, one.status, said)
        for one in result.ledger.orders
    ]
