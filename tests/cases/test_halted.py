"""Trading in the symbol is halted: nothing of it is bought then and for minutes after, and what is held keeps its stop.

Members of the kind: the three ways in which a halt may show, before the entry and while it is held.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from infra.brokersim.halting import How
from infra.simulated_day.machine import Machine
from tests.cases.short_day import CLOSES, Deed, play
from tests.simulated_day.made import SYMBOL, at

PAUSE = timedelta(minutes=5)
SHOWS: dict[How, str] = {"stands-still": "QUOTE_FROZEN", "empty-book": "BOOK_ONE_SIDED", "message-1043": "HALTED"}
SAYS: dict[How, str] = {"empty-book": "nothing is bid or nothing offered", "message-1043": "the simulator says so"}
HALTS, RESUMES = at(12, 22, 30), at(12, 23, 10)
"""So shortly that each minute has quotes, and before the entry, which is at 12:26 without it."""
HELD_SINCE = at(12, 40)


def halt(how: How) -> Deed:
    """Halt the symbol."""

    def deed(machine: Machine) -> None:
        machine.simulator.halt(SYMBOL, how)

    return deed


def resume(machine: Machine) -> None:
    """Let the symbol trade again."""
    machine.simulator.resume(SYMBOL)


@pytest.mark.parametrize(
    "how", ["stands-still", *(pytest.param(one, marks=pytest.mark.long) for one in list(SHOWS)[1:])]
)
def test_nothing_is_bought_for_minutes_after_a_halt(market: Path, tmp_path: Path, how: How) -> None:
    """The entry waits until five minutes after the first move, and the receipts say what kept it."""
    day = play(market, tmp_path, deeds=((HALTS, halt(how)), (RESUMES, resume)))
    entry = day.result.ledger.fills[0]
    assert entry.action == "BUY"
    assert entry.at >= RESUMES + PAUSE
    codes = {code for joined in day.codes() for code in joined.split("+")}
    assert {SHOWS[how], "AFTER_HALT"} <= codes
    assert day.of("held_halted") == []


@pytest.mark.parametrize("how", ["message-1043", pytest.param("empty-book", marks=pytest.mark.long)])
def test_what_is_held_in_a_halt_keeps_its_stop(market: Path, tmp_path: Path, how: How) -> None:
    """Over a halt that lasts to the close the stop is not touched, and the owner hears of both, once."""
    day = play(market, tmp_path, deeds=((HELD_SINCE, halt(how)),))
    assert [fill.action for fill in day.result.ledger.fills] == ["BUY"]
    stop = next(order for order in day.result.ledger.orders if order.price_type == "STOP")
    assert not {event.event for event in stop.history} & {"cancel_requested", "cancelled"}
    (told,) = day.of("held_halted", SYMBOL, SAYS[how])
    assert timedelta(0) <= told.told_at - HELD_SINCE <= timedelta(minutes=2)
    (stays,) = day.of("stays_held", SYMBOL)
    assert stays.told_at < CLOSES
