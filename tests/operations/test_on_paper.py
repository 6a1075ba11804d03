"""What the owner reads of a system on paper: the paper account, and never a broker that has nothing of it."""

from dataclasses import replace
from pathlib import Path

from infra.one_machine.sqlite_store import SqliteStore
from shared.domain.base.values import Venue
from shared.domain.orders.orders import Order, State
from shared.usecases.base.desk import read
from tests.operations.desks import answer, strategy


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
    assert "WORKING: It is open in the paper account; no order went to E*TRADE." in story
    assert "the broker" not in story
