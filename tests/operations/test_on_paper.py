"""What the owner reads of a system on paper, of a simulated one and of one that rests: whose account and time it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.cli.status_words import status_lines
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations.look import overview
from infra.running.instant import KeptInstant
from shared.domain.base.values import Venue
from shared.domain.broker.brokerage import LastBalance
from shared.domain.market.sight import Sight
from shared.domain.orders.orders import Order, State
from shared.ports import Put
from shared.usecases.base.desk import put, read
from shared.usecases.orders.account import LAST_BALANCE
from tests.operations.desks import answer, strategy, write_card
from tests.operations.test_money import BALANCE, NOON


def test_the_story_of_an_order_on_paper_names_no_broker(desk: Path) -> None:
    """Each step of an order of the paper account is told as one there, and where it stands too."""
    on = ("--state", str(desk))
    name = answer("orders", "--all", *on)[0]["intent_id"]
    assert "open at the broker" in strategy("explain", name, *on).stdout
    store = SqliteStore(desk / "state.db")
    held = read(store, Order, f"orders/{name}")
    assert held is not None
    store.commit([held.update(replace(held.value, venue=Venue.PAPER, state=State.WORKING))])
    store.close()
    story = " ".join(strategy("explain", name, *on).stdout.split())
    assert "open: It is open in the paper account; no order went to E*TRADE." in story
    assert "the broker" not in story


RESTING = {
    "production-paper": "on paper nothing fills and no stop works until it runs",
    "simulator-live": "its simulated time stands still",
    "sandbox-live": "only stops that are at E*TRADE already still sell",
}


@pytest.mark.parametrize("system", RESTING)
def test_a_system_that_rests_says_so_first_and_how_to_start_it(desk: Path, system: str) -> None:
    """Before any figure stands that it does not run, what works meanwhile, and the command that starts it."""
    broker, mode = system.split("-")
    write_card(desk, broker=broker, mode=mode)
    at, resting, *_ = strategy("status", "--state", str(desk)).stdout.splitlines()
    assert (at.startswith("At "), resting.startswith("NOT RUNNING ")) == (True, True)
    shown = " ".join(strategy("status", "--state", str(desk)).stdout.split())
    assert RESTING[system] in shown
    simulated = "--market made --config demo --seed 1 " if broker == "simulator" else ""
    command = f"strategy up --broker {broker} --mode {mode} {simulated}--state {desk}"
    assert f"\nTo start it:\n  {command}\n" in strategy("status", "--state", str(desk), COLUMNS="40").stdout
    assert answer("status", "--state", str(desk))["again"] == command


def test_a_simulated_day_that_is_over_is_not_to_be_started_again(desk: Path) -> None:
    """Its folder runs no more, so no command is given that would be refused: where its report is, and a new day."""
    KeptInstant(desk).write(datetime(2013, 10, 7, 20, 20, tzinfo=UTC))
    assert answer("status", "--state", str(desk))["again"] is None
    shown = " ".join(strategy("status", "--state", str(desk)).stdout.split())
    assert f"NOT RUNNING The simulated day of {desk} is over and runs no more. `strategy report --state" in shown
    assert "nothing fills" not in shown
    said = f"NOT RUNNING: The simulated day of {desk} is over and runs no more."
    assert strategy("orders", "--all", "--state", str(desk)).stdout.startswith(said)


def test_whose_account_value_it_is_is_said() -> None:
    """The balance is E*TRADE's, the paper account's or the simulated broker's, and its line says whose."""
    told = (
        ("production", "paper", "the paper account's"), ("simulator", "live", "the simulated broker's"),
        ("sandbox", "live", "E*TRADE's"), (None, None, "the account's"),
    )  # fmt: skip
    store = MemoryStore()
    store.commit([put(LAST_BALANCE, LastBalance(balance=BALANCE, capital=Decimal(1_000)))])
    for broker, mode, whose in told:
        seen = overview(store, at=NOON, running=True, broker=broker, mode=mode)
        assert f"{whose} own figures, read at " in str(dict(status_lines(seen))["Cash"])


def test_a_simulator_that_gives_no_quotes_is_not_called_etrade() -> None:
    """What keeps a simulated system from its quotes is the simulator's doing, and the line of the scan names it."""
    blind = Sight(begins=NOON - timedelta(minutes=1), symbols=2, usable=0, faults=("NotSent",), unseen={})
    store = MemoryStore()
    seen = overview(store, at=NOON, running=True, broker="simulator", mode="live")
    simulated = str(dict(status_lines(replace(seen, sight=blind)))["Scan"])
    assert "the simulator could not be reached" in simulated
    assert "E*TRADE" not in simulated
    real = replace(seen, sight=blind, broker="production")
    assert "E*TRADE could not be reached" in str(dict(status_lines(real))["Scan"])


@pytest.mark.parametrize("system", [*RESTING, "simulator-paper"])
def test_nobody_is_sent_to_etrade_to_look_at_what_is_not_there(desk: Path, system: str) -> None:
    """What cannot be read is looked at on E*TRADE's own page only where the account is E*TRADE's."""
    broker, mode = system.split("-")
    write_card(desk, broker=broker, mode=mode)
    store, on = SqliteStore(desk / "state.db"), ("--state", str(desk))
    store.commit([Put("orders/damaged", {"live": True}), Put("fills/damaged", {"quantity": "many"})])
    store.close()
    others = "the paper account's" if mode == "paper" else "the simulated broker's"
    there = "look on E*TRADE's own page" if broker == "sandbox" else f"nothing of it is at E*TRADE: it is {others}"
    assert f"in none of these counts; {there}" in " ".join(strategy("status", *on).stdout.split())
    assert f"orders/damaged; {there}." in strategy("orders", *on).stderr
    assert f"fills/damaged; {there}." in strategy("trades", *on).stderr
