"""Short days with seeded troubles, minutes apart: functions die and freeze, the broker fails, the owner trades by hand.

What must hold whatever comes: no order twice, no order that was not written down before, no sell of what another sell
may still sell, no share without a sell for longer than the bound of one trouble, and a day that is sealed and whose
result is true. Everything is drawn from the seed, so that a day that fails can be played again.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from infra.brokersim.faults import Endpoint
from infra.brokersim.simulator import Fault
from infra.simulated_day.ledger import BrokerLedger
from infra.simulated_day.machine import Machine
from shared.domain.base.values import Side
from shared.errors import DeskError
from tests.cases.answers import Answers, Rule, cut, hangs, says, silent
from tests.cases.short_day import Deed, Played, by_hand, cancel_sells, sell
from tests.simulated_day.made import SYMBOL, at

NAKED_AT_MOST = timedelta(seconds=100)
FIRST, APART = at(12, 25, 50), timedelta(minutes=6)
TROUBLES = 5
FUNCTIONS = ("order_placement", "order_settlement", "market_scan")
CALLS: tuple[Endpoint, ...] = ("quotes", "portfolio", "balance", "orders", "order", "preview", "place", "cancel")
LOSABLE: tuple[Endpoint, ...] = ("place", "cancel", "preview")
LENGTHS = (5, 40, 100, 400)
LATE_AT_MOST_S = 40
"""A place that reaches E*TRADE later is one that was given up: entries stop then, and a person has to look."""
DOWN = says({"Error": {"code": 100, "message": "The requested service is not currently available"}}, status=500)
BY_HAND = "BYHAND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong at an instant, in words, by a rule or by a deed."""

    at: datetime
    words: str
    rule: Rule | None = None
    deed: Deed | None = None
    by_owner: bool = False


def troubles(seed: int) -> list[Trouble]:
    """Draw a day's troubles."""
    chance = Random(f"random day/{seed}")
    instants = [FIRST + number * APART + timedelta(seconds=chance.uniform(0, 200)) for number in range(TROUBLES)]
    return [chance.choice(KINDS)(chance, instant) for instant in instants]


def _dies(chance: Random, instant: datetime) -> Trouble:
    function = chance.choice(FUNCTIONS)
    return Trouble(at=instant, words=f"{function} dies", deed=lambda machine: machine.kernel.crash(function))


def _freezes(chance: Random, instant: datetime) -> Trouble:
    call, seconds = chance.choice(CALLS), chance.choice(LENGTHS)
    seconds = min(seconds, LATE_AT_MOST_S) if call == "place" else seconds
    rule = Rule(endpoint=call, change=hangs(seconds), since=instant, times=1)
    return Trouble(at=instant, words=f"the caller of {call} freezes for {seconds} s", rule=rule)


def _fails(chance: Random, instant: datetime) -> Trouble:
    call, span = chance.choice(CALLS), chance.choice((3, 10, 30))
    name, change = chance.choice((("500", DOWN), ("silence", silent()), ("half a body", cut())))
    rule = Rule(endpoint=call, change=change, since=instant, until=instant + timedelta(seconds=span))
    return Trouble(at=instant, words=f"{call} answers {name} for {span} s", rule=rule)


def _loses(chance: Random, instant: datetime) -> Trouble:
    call, late = chance.choice(LOSABLE), chance.choice((True, False))
    fault = Fault(endpoint=call, kind="reset", after_effect=late)
    words = f"the next {call} is lost {'after' if late else 'before'} its effect"
    return Trouble(at=instant, words=words, deed=lambda machine: machine.simulator.inject(fault))


def _by_owner(chance: Random, instant: datetime) -> Trouble:
    deeds: tuple[tuple[str, Deed], ...] = (
        ("sells 40", _if_held(40, sell(40))),
        ("sells 98", _if_held(98, sell(98))),
        ("cancels the stop", cancel_sells),
        ("buys 10", by_hand(Side.BUY, 10)),
    )
    words, deed = chance.choice(deeds)
    return Trouble(at=instant, words=f"the owner {words}", deed=_perhaps(deed), by_owner=True)


KINDS: tuple[Callable[[Random, datetime], Trouble], ...] = (_dies, _freezes, _freezes, _fails, _loses, _by_owner)


def _if_held(quantity: int, deed: Deed) -> Deed:
    def sells(machine: Machine) -> None:
        if machine.ledger().positions.get(SYMBOL, 0) >= quantity:
            deed(machine)

    return sells


def _perhaps(deed: Deed) -> Deed:
    """Let the owner give up where E*TRADE does not answer as it should."""

    def tries(machine: Machine) -> None:
        with suppress(AssertionError, DeskError):
            deed(machine)

    return tries


def arranged(plan: list[Trouble]) -> tuple[Answers, tuple[tuple[datetime, Deed], ...]]:
    """Give the answers and the deeds of a plan."""
    rules = [one.rule for one in plan if one.rule is not None]
    return Answers(*rules), tuple((one.at, one.deed) for one in plan if one.deed is not None)


def wrongs(day: Played, plan: list[Trouble]) -> list[str]:
    """Name everything that must not have come of it."""
    result, ledger = day.result, day.result.ledger
    by_owner = any(one.by_owner for one in plan)  # whose own calls count, and whose trades are no book's
    never = ("Second place", "Broken audit chain", "Undeclared access", *(() if by_owner else ("Throttle",)))
    found = [one for one in result.summary.violations if one.startswith(never)]
    found += ["a function crashed"] * result.crashed
    known = {one.intent_id for one in result.book.orders}
    blind = {request.client_order_id or "" for request in ledger.place_requests} - known
    found += [f"never written down: {name}" for name in sorted(blind) if not name.startswith(BY_HAND)]
    found += _oversold(ledger)
    bare = ours(day).longest_gap()
    if bare > NAKED_AT_MOST:
        found.append(f"shares lay naked for {bare.total_seconds():.0f} s")
    if not result.book.seals:
        found.append("the day is not sealed")
    if not by_owner:
        found += [one for one in result.summary.violations if one.startswith("Book differs")]
    return found + _untold(day)


def ours(day: Played) -> Played:
    """Leave out what the owner bought: nobody protects it."""
    orders = tuple(
        one for one in day.result.ledger.orders if one.action == "SELL" or not one.client_order_id.startswith(BY_HAND)
    )
    return replace(day, result=replace(day.result, ledger=replace(day.result.ledger, orders=orders)))


def _untold(day: Played) -> list[str]:
    """Check that the day's result says what is held, and that this was told before the close."""
    held = [position.symbol for position in day.result.book.positions if position.is_open]
    text = day.of("day_result")[-1].text if day.of("day_result") else ""
    found = [f"{symbol} is held and nobody was told" for symbol in held if not day.of("stays_held", symbol)]
    if ("holds nothing" in text) == bool(held):
        found.append(f"the result is not true: {text}")
    return found


def _oversold(ledger: BrokerLedger) -> list[str]:
    """Walk through everything that happened at the broker, and compare what sells may still sell with what is held."""
    steps = sorted(
        (event.at, order.order_id, event.event, event.quantity or 0)
        for order in ledger.orders
        for event in order.history
    )
    orders = {order.order_id: order for order in ledger.orders}
    held: dict[str, int] = {}
    live: dict[int, int] = {}
    found = []
    for instant, number, event, quantity in steps:
        order = orders[number]
        sells = order.action == "SELL"
        if event == "placed" and sells:
            live[number] = order.quantity
        if event == "fill":
            held[order.symbol] = held.get(order.symbol, 0) + (-quantity if sells else quantity)
            live[number] = live.get(number, 0) - quantity if sells else 0
        if event in {"cancelled", "expired", "rejected"}:
            live.pop(number, None)
        asked = sum(left for name, left in live.items() if orders[name].symbol == order.symbol)
        there = held.get(order.symbol, 0)
        if asked > there:
            found.append(f"{instant:%H:%M:%S} sells of {asked} {order.symbol}, of which {there} are held")
    return found
