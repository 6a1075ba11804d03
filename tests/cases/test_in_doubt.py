"""Case an order in doubt with a filled candidate: told which shares have no stop, and a command of the owner ends it.

Members of the kind: the owner's order in the place of ours, which cannot be told apart, and a verdict that names none.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.brokersim.tickets import body_of, ticket_of
from infra.simulated_day.machine import Machine
from shared.codec import encode
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Ticket
from shared.domain.control.asks import Ask, AskKind
from shared.domain.orders.orders import Order, State
from shared.ports import Create
from tests.cases.answers import Answers, Call, Rule, lost
from tests.cases.short_day import CLOSES, Deed, Played, order, play
from tests.simulated_day.made import SYMBOL, at

DECIDED_AT = at(12, 32)


def twin(call: Call) -> None:
    """Let the owner place the order that the system sends in the same moment, equal in everything."""
    call.machine.kernel.sleep(1.1)  # two calls a second is all that E*TRADE takes
    body = call.request.body or b""
    sent = ticket_of(body_of(body if isinstance(body, bytes) else body.encode(), "PlaceOrderRequest"))
    order(call.machine, Ticket(
        client_order_id="BYHAND", symbol=sent.symbol, side=Side(sent.action), quantity=sent.quantity,
        price_type=PriceType(sent.price_type), term=Term(sent.term), limit_price=sent.limit_price,
        stop_price=sent.stop_price,
    ))  # fmt: skip


def entry_of(day: Played) -> Order:
    """Give the day's one entry."""
    return next(one for one in day.result.book.orders if one.side is Side.BUY)


def decides(choose: Callable[[Machine], int | None]) -> Deed:
    """Let the owner say which broker order the one in doubt is, as `strategy resolve` does."""

    def deed(machine: Machine) -> None:
        (row,) = machine.world.store.query("orders")
        ask = Ask(
            ask_id="OWNER1", kind=AskKind.RESOLVE, at=machine.kernel.now(), intent_id=row.data["intent_id"],
            broker_order_id=choose(machine),
        )  # fmt: skip
        machine.world.store.commit([Create("asks/OWNER1", encode(ask))])

    return deed


def two_alike(market: Path, runs: Path, *deeds: Deed) -> Played:
    """Play the day on which ours and the owner's equal order are both filled, and the answer to ours is lost."""
    answers = Answers(Rule(endpoint="place", change=lost(twin), times=1))
    return play(market, runs, answers=answers, deeds=tuple((DECIDED_AT, deed) for deed in deeds))


def told_what_it_may_be(day: Played) -> None:
    """Check that the owner was told which orders it may be, which shares have no stop, and which command ends it."""
    (told,) = day.of("order_ambiguous", SYMBOL, "98 shares", "NO STOP")
    numbers = [str(one.order_id) for one in day.result.ledger.orders[:2]]
    assert [number for number in numbers if number not in told.text] == []
    assert f"strategy resolve {entry_of(day).intent_id}" in told.text
    assert told.told_at < DECIDED_AT


def ended(day: Played, *, sold: int) -> None:
    """Check that nothing is in doubt any more, that ours was sold before the close, and that the day is sealed."""
    assert not {one.state for one in day.result.book.orders} & {State.MANUAL, State.UNKNOWN}
    ours = [one.filled for one in day.result.book.orders if one.side is Side.SELL]
    assert sum(ours) == sold
    assert day.result.ledger.fills[-1].at < CLOSES
    assert day.result.book.seals
    assert not any(position.is_open for position in day.result.book.positions)


def test_two_orders_that_are_alike_are_told_and_a_command_ends_it(market: Path, tmp_path: Path) -> None:
    """An order whose answer was lost beside one of the owner's, both filled: told, resolved, protected and sold."""
    first = decides(lambda machine: machine.simulator.ledger(machine.settings.account_id)["orders"][0]["order_id"])
    day = two_alike(market, tmp_path, first)
    told_what_it_may_be(day)
    ended(day, sold=98)
    assert day.result.ledger.positions[SYMBOL] == 98  # the owner's own


@pytest.mark.long
def test_an_order_that_is_neither_is_ended_by_the_same_command(market: Path, tmp_path: Path) -> None:
    """Where the owner says that neither is the system's, its intent ends and what was bought is the owner's."""
    day = two_alike(market, tmp_path, decides(lambda _machine: None))
    told_what_it_may_be(day)
    ended(day, sold=0)
    assert day.result.ledger.positions[SYMBOL] == 196


def test_an_order_of_the_owner_in_the_place_of_ours_is_adopted(market: Path, tmp_path: Path) -> None:
    """One that equals ours and stands alone, while ours never arrived, cannot be told apart: so it is ours."""
    day = play(market, tmp_path, answers=Answers(Rule(endpoint="place", change=lost(twin, arrives=False), times=1)))
    assert [fill.action for fill in day.result.ledger.fills] == ["BUY", "SELL"]
    ended(day, sold=98)


def test_a_doubt_that_lasts_for_ever_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where no command ends it, as it once was, the check of such a day fails."""
    day = two_alike(market, tmp_path)
    with pytest.raises(AssertionError):
        ended(day, sold=98)
