"""What the broker says against an account, over a whole short day: obeyed, told once, and in the way of no sell."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.brokersim.broker import day_trades
from infra.brokersim.standing import Standing
from infra.one_machine.clock import KernelClock
from infra.simulated_day.chosen import OwnFile, write
from infra.simulated_day.machine import Machine
from shared.domain.broker.day_trades import DayTradeRule
from shared.domain.orders.orders import Kind
from shared.strategies.config import load
from tests.cases.short_day import Deed, Played, as_every_day, entered, play
from tests.simulated_day.made import SYMBOL, at
from tests.simulated_day.seeded import PLAIN

BEFORE_THE_ENTRY = at(12, 11)


def small(earlier: int) -> Deed:
    """Make the account one of a worth that it does not say, with so many day trades before today."""

    def deed(machine: Machine) -> None:
        broker = machine.simulator._broker
        account = broker.accounts[machine.settings.account_id]
        account.mode = "MARGIN"
        account.earlier = day_trades(broker._market, account.key, earlier)
        machine.simulator.stand(Standing(leaves_out=frozenset({"RealTimeValues"})))

    return deed


def counted(machine: Machine) -> None:
    """Turn the demonstration's day-trade rule on."""
    demo = load("demo")
    account = replace(demo.account, day_trade_rule=DayTradeRule.LEGACY_PDT)
    ours = OwnFile(label="counted", own=replace(demo, account=account))
    write(ours, machine.world.store, KernelClock(machine.kernel), machine.settings)


COUNTED = replace(PLAIN, ready=counted)


def stand(**says: Any) -> Deed:
    """Let the broker say this from then on."""
    return lambda machine: machine.simulator.stand(Standing(**says))


def denied(day: Played, code: str) -> None:
    """Check that no order left, that every entry was denied with this code, and that the owner was told once."""
    assert day.result.summary.violations == ()
    assert day.result.ledger.orders == ()
    entries = [order for order in day.result.book.orders if order.kind is Kind.ENTRY]
    assert entries
    assert all(code in order.codes for order in entries)
    assert len(day.of("entries_barred")) == 1


def test_the_fourth_day_trade_is_not_begun(market: Path, tmp_path: Path) -> None:
    """With three day trades of the owner's own in the sessions before, a whole day buys nothing and says why."""
    day = play(market, tmp_path, around=COUNTED, deeds=((BEFORE_THE_ENTRY, small(3)),))
    denied(day, "DAY_TRADES")
    assert day.of("entries_barred", "3 in the sessions before, 0 today", "day_trade_rule")


def test_the_third_day_trade_is_begun_and_sold(market: Path, tmp_path: Path) -> None:
    """With two day trades before, a day is as every day."""
    as_every_day(play(market, tmp_path, around=COUNTED, deeds=((BEFORE_THE_ENTRY, small(2)),)))


def test_the_demonstration_counts_no_day_trades(market: Path, tmp_path: Path) -> None:
    """With its rule off, as it ships, the demonstration buys after three day trades, too, and says that it is off."""
    day = play(market, tmp_path, deeds=((BEFORE_THE_ENTRY, small(3)),))
    as_every_day(day)
    assert day.result.account.endswith("day-trade rule off")


@pytest.mark.parametrize(
    ("says", "code", "words"),
    [
        ({"calls": {"houseCall": 12}}, "MARGIN_CALL", "houseCall"),
        ({"day_trader_status": "PDT_MIN_EQUITY_RES_1XK"}, "DAY_TRADER_STATUS", "PDT_MIN_EQUITY_RES_1XK"),
    ],
)
def test_calls_and_statuses_end_entries(
    market: Path, tmp_path: Path, says: dict[str, Any], code: str, words: str
) -> None:
    """A margin call or a status that restricts, there from the morning on, is told once, and nothing is bought."""
    day = play(market, tmp_path, deeds=((BEFORE_THE_ENTRY, stand(**says)),))
    denied(day, code)
    assert day.of("entries_barred", words)


def test_a_restriction_after_the_entry_keeps_no_sell_back(market: Path, tmp_path: Path) -> None:
    """What is held is sold before the close, though the account is restricted since and has a call and a status."""

    def trouble(machine: Machine) -> None:
        while not entered(machine):
            machine.kernel.sleep(1)
        said = Standing(restricted="buys", calls={"fedCall": Decimal(1)}, day_trader_status="BAD")
        machine.simulator.stand(said)

    day = play(market, tmp_path, deeds=((BEFORE_THE_ENTRY, trouble),))
    as_every_day(day)
    assert {code for one in day.of("entries_barred") for code in ("fedCall", "BAD") if code in one.text} == {
        "fedCall",
        "BAD",
    }


def test_a_share_with_adjusted_prices_that_the_bars_know_is_entered(market: Path, tmp_path: Path) -> None:
    """Quotes that say "adjusted" keep nothing back where the daily bars agree with their previous close."""

    def adjusted(machine: Machine) -> None:
        machine.simulator._broker._quotes._adjusted = frozenset({SYMBOL})

    as_every_day(play(market, tmp_path, deeds=((BEFORE_THE_ENTRY, adjusted),)))
