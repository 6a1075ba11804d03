"""What keeps every purchase out is said where an owner looks, and not at a denied order alone."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.one_machine.sqlite_store import SqliteStore
from infra.operations import look
from infra.operations.profiles import Hand
from infra.operations.stops import stops
from infra.running.instant import KeptInstant
from shared.codec import encode
from shared.domain.base.calendar import new_york_day
from shared.domain.broker.brokerage import LastBalance
from shared.domain.control.control import TradingState
from shared.domain.orders.positions import Ledger
from shared.ports import Put
from shared.usecases.control import control
from shared.usecases.orders.account import LAST_BALANCE
from tests.domain.made import NOON, OPENS, balance, position
from tests.doors.fakes import HandClock, Hands, ListVault, MoodyStore
from tests.functions.made import at
from tests.operations.desks import strategy

LOST = Ledger(session=OPENS.date(), losses_in_a_row=5, cooldown_until=NOON + timedelta(minutes=20))


def _hand(*documents: Put, **changes: Any) -> Hand:
    """Give the owner's hand on a book in an open session."""
    store = MoodyStore()
    desk = Hands(store=store, clock=HandClock(NOON)).desk("owner")
    if documents:
        store.commit(list(documents))
    given: dict[str, Any] = {"mode": "paper", "config": "default"}
    return Hand(
        name="desk", desk=desk, open_vault=ListVault, sign_in=None, operator="owner", running=True, **(given | changes)
    )


RULES: dict[str, tuple[list[Put], str]] = {
    "nothing": ([], ""),
    "losses in a row": ([Put("ledger/1", encode(LOST))], "After 5 losses in a row nothing is bought until 12:20:00"),
    "entries": (
        [Put("ledger/1", encode(replace(LOST, entries=1_000, cooldown_until=None)))],
        "Entries of the day: 1000",
    ),
    "positions": (
        [Put(f"positions/A{n}", encode(position(symbol=f"A{n}", position_id=f"P{n}"))) for n in range(100)],
        "Positions open: 100",
    ),
    "a call": (
        [Put(LAST_BALANCE, encode(LastBalance(balance=replace(balance(), calls=("cashCall",)), capital=Decimal(1))))],
        "margin call",
    ),
    "of another day": ([Put("ledger/1", encode(replace(LOST, session=OPENS.date() - timedelta(days=3))))], ""),
}


def _stops(hand: Hand) -> tuple[str, ...]:
    return stops(hand, {}, look.books(hand.desk.store, []))


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_that_bars_every_symbol_is_said(rule: str) -> None:
    """A rule that needs no symbol is told with its figures; one that bars nothing now is not."""
    documents, said = RULES[rule]
    found = " ".join(_stops(_hand(*documents)))
    assert said in found
    assert bool(found) is bool(said)


def test_a_restricted_trading_state_is_one_of_them() -> None:
    """A halt keeps purchases out, and is told with who said it and why."""
    hand = _hand()
    control.command(hand.desk, TradingState.HALTED, reason="a look")
    (said,) = _stops(hand)
    assert "HALTED" in said
    assert "a look" in said


def test_a_closed_market_needs_no_rule() -> None:
    """Outside of the session nothing is bought anyway."""
    hand = _hand(Put("ledger/1", encode(LOST)))
    hand.desk.clock.sleep_until(NOON + timedelta(hours=6))
    assert _stops(hand) == ()


def test_without_the_configuration_the_rules_that_need_none_are_said() -> None:
    """Of a system in the cloud this machine does not know the limits, and names only what it can."""
    ledger = replace(LOST, entries=1_000)
    (said,) = _stops(_hand(Put("ledger/1", encode(ledger)), mode=None))
    assert "losses in a row" in said


def test_status_and_why_name_the_pause(desk: Path) -> None:
    """Who asks why nothing is bought reads of the pause in both places, and in neither once it is over."""
    on, now = ("--state", str(desk)), at("10:07:10")
    KeptInstant(desk).write(now)
    store = SqliteStore(desk / "state.db")
    row = next(iter(store.query("ledger")))
    held = encode(replace(LOST, session=new_york_day(now), cooldown_until=now + timedelta(minutes=5)))
    symbol = next(iter(store.query("orders"))).data["symbol"]
    store.commit([Put(row.path, held)])
    store.close()
    pause = "After 5 losses in a row nothing is bought until 10:12:10"
    lines = {line.split("  ")[0]: line for line in strategy("status", *on).stdout.splitlines()}
    assert pause in lines["NOT BUYING"]
    assert f"No symbol is bought now: {pause}" in strategy("why", symbol, *on).stdout
    KeptInstant(desk).write(now + timedelta(minutes=6))
    assert "NOT BUYING" not in strategy("status", *on).stdout
