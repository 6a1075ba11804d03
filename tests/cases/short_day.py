"""The last fifty minutes of a half-day, and what came of them: the books, and what the owner was told and when.

The market is quiet but rises enough for one entry, twenty-six minutes past noon; it is left ten minutes before the
close at one. The market is looked at every few seconds, which is often enough here and spares most of the work.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.world import STATE_FILE
from infra.simulated_day.machine import Machine, Surroundings
from infra.simulated_day.protection import gaps
from infra.simulated_day.result import DayResult
from infra.simulated_day.run import run_day
from shared.codec import decode
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Ticket
from shared.domain.broker.outcomes import Accepted, Previewed
from shared.usecases.telling.deliver import Told
from tests.cases.answers import Answers
from tests.simulated_day.made import SYMBOL, at
from tests.simulated_day.seeded import FEWER_LOOKS, PLAIN, SEED, owners_broker

CLOSES = at(13, 0)
FLATTENS = at(12, 50)
Deed = Callable[[Machine], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A short day that has ended."""

    result: DayResult
    told: tuple[Told, ...]

    def of(self, kind: str, *words: str) -> list[Told]:
        """Give what was told of a kind, oldest first, where every word stands in it."""
        return [one for one in self.told if one.kind == kind and all(word in said(one) for word in words)]

    def with_words(self, *words: str) -> list[Told]:
        """Give what was told in these words, of whatever kind."""
        return [one for one in self.told if all(word in said(one) for word in words)]

    def codes(self, symbol: str = SYMBOL) -> set[str]:
        """Give every verdict of the scan on a symbol."""
        receipts = self.result.book.receipts
        return {code for one in receipts for _, code in one.symbols.get(symbol, ())}

    def longest_gap(self) -> timedelta:
        """Give the longest while of the session in which held shares had no live sell at the broker."""
        hours = self.result.hours
        found = gaps(self.result.ledger, opens=hours.opens, closes=hours.closes)
        return max((gap.lasts for gap in found), default=timedelta(0))


def as_every_day(day: Played, *, symbol: str = SYMBOL) -> None:
    """Check that the fills were booked, protected within seconds, and sold before the close; and that this was told."""
    assert day.result.summary.violations == ()
    assert [(fill.action, fill.symbol) for fill in day.result.ledger.fills] == [("BUY", symbol), ("SELL", symbol)]
    entry, leaving = day.result.ledger.fills
    assert leaving.at < CLOSES
    stop = next(order for order in day.result.ledger.orders if order.price_type == "STOP")
    assert stop.placed_at - entry.at < timedelta(seconds=10)
    (result,) = day.of("day_result")
    assert "holds nothing" in result.text
    assert "2 fills" in result.text


def entered(machine: Machine) -> bool:
    """Tell whether the day's entry has filled at the broker."""
    return bool(machine.ledger().fills)


def said(told: Told) -> str:
    """Give title and text."""
    return f"{told.title}\n{told.text}"


def play(
    market: Path, runs: Path, *, answers: Answers | None = None, deeds: tuple[tuple[datetime, Deed], ...] = (),
    around: Surroundings = PLAIN, **environ: str,
) -> Played:  # fmt: skip
    """Play the day with these answers of the broker and these deeds at their instants."""
    between = answers or Answers()

    def ready(machine: Machine) -> None:
        around.ready(machine)
        between.ready(machine)
        for instant, deed in deeds:
            machine.kernel.spawn(lambda deed=deed: deed(machine), at=instant, name="deed")  # type: ignore[misc]

    result = run_day(
        market_spec=str(market), config="demo", seed=SEED, speed="max", state=None, on_progress=lambda _: None,
        runs=runs, environ={**FEWER_LOOKS, **environ},
        around=replace(around, http=between.between, ready=ready),
    )  # fmt: skip
    store = SqliteStore(result.folder / STATE_FILE)
    try:
        told = [decode(Told, row.data) for row in store.query("notices")]
    finally:
        store.close()
    return Played(result=result, told=tuple(sorted(told, key=lambda one: one.told_at)))


def by_hand(side: Side, quantity: int, *, limit_price: str | None = None) -> Deed:
    """Let the owner place an order in E*TRADE's app."""

    def place(machine: Machine) -> None:
        ticket = Ticket(
            client_order_id=f"BYHAND{machine.kernel.now():%H%M%S}", symbol=SYMBOL, side=side, quantity=quantity,
            price_type=PriceType.MARKET if limit_price is None else PriceType.LIMIT, term=Term.GOOD_FOR_DAY,
            limit_price=None if limit_price is None else Decimal(limit_price),
        )  # fmt: skip
        order(machine, ticket)

    return place


def cancel_sells(machine: Machine) -> None:
    """Let the owner cancel in the app what rests over the system's shares."""
    broker = owners_broker(machine)
    for one in machine.ledger().orders:
        if one.action == "SELL" and one.status == "OPEN":
            broker.cancel(machine.settings.account_id, one.order_id)


def sell(quantity: int) -> Deed:
    """Let the owner cancel in the app what rests over the system's shares, and sell so many of them."""

    def deed(machine: Machine) -> None:
        cancel_sells(machine)
        machine.kernel.sleep(2)
        by_hand(Side.SELL, quantity)(machine)

    return deed


def order(machine: Machine, ticket: Ticket) -> None:
    """Let the owner place any order."""
    broker = owners_broker(machine)
    preview = broker.preview(machine.settings.account_id, ticket)
    assert isinstance(preview, Previewed), preview
    deadline = machine.kernel.now() + timedelta(seconds=20)
    answer = broker.place(machine.settings.account_id, ticket, preview.preview_ids, deadline=deadline)
    assert isinstance(answer, Accepted), answer
