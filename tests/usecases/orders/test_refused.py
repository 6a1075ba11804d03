"""What the broker refuses is asked again after pauses that grow, told once with its reason, and never at night."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, State
from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import ExitRefused, StopRefused
from shared.usecases.control import control
from tests.usecases.bench import CLOSES, ENDS, START, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.proofs import safety, wrongs
from tests.usecases.test_sightless import told

SLACK = 8
"""Seconds between two looks of settlement or the scan, and what a look takes."""
TICK_GAP = 14
"""The same where settlement's fifty seconds of a minute are over."""


def _refuses(bench: Bench, price_type: PriceType, times: int = 500, code: str = "1037") -> None:
    bench.exchange.scripts += [
        Script(how="reject", side=Side.SELL, price_type=price_type, code=code) for _ in range(times)
    ]


def _asked(bench: Bench, price_type: PriceType) -> list[datetime]:
    found = [at for at, ticket in bench.exchange.posted if ticket.price_type is price_type]
    return [at for at in found if at > START + timedelta(seconds=1) or price_type is not PriceType.LIMIT]


def _pauses(asked: list[datetime]) -> list[float]:
    return [(later - earlier).total_seconds() for earlier, later in pairwise(asked)]


def _not_flat(bench: Bench) -> Bench:
    """Let a position be held that only its stop may sell: the owner's halt names exits, too."""
    bench.send(bench.signal())
    halt = {"exits_too": True, "reason": "the owner"}
    owner = replace(bench.desks["order_settlement"], store=bench.store)
    bench.at(30, lambda: control.command(owner, TradingState.HALTED, **halt))  # type: ignore[arg-type]
    return bench


def test_a_refused_stop_is_asked_after_pauses_that_grow() -> None:
    """A stop that is always refused is asked after 2, 4, 8 ... 60 s, ten near the close, and not at all after it."""
    bench = _not_flat(Bench())
    _refuses(bench, PriceType.STOP)
    bench.run((ENDS - START).total_seconds())
    asked = _asked(bench, PriceType.STOP)
    early = [at for at in asked if at < CLOSES - timedelta(minutes=15)]
    pauses = _pauses(early)
    for pause, least in zip(pauses, [2, 4, 8, 16, 32, *[60] * len(pauses)], strict=False):
        assert least <= pause <= least + TICK_GAP, pauses
    last = _pauses([at for at in asked if at not in early])
    assert last
    assert all(10 <= pause <= 10 + TICK_GAP for pause in last), last
    assert max(asked) < CLOSES
    assert len(bench.orders()) == 1 + len(asked)
    assert safety(bench) == []


def test_a_refused_stop_is_told_once_with_the_brokers_reason() -> None:
    """The third refusal in a row is told with the broker's words and code, and the hundredth is no other event."""
    bench = _not_flat(Bench())
    _refuses(bench, PriceType.STOP)
    bench.run(600)
    (notice,) = told(bench, StopRefused)
    assert (notice.symbol, notice.quantity, notice.why) == (SYMBOL, 99, "no (1037)")
    assert notice.at - notice.since <= timedelta(seconds=20)
    assert "other sell orders" in words(notice).text


def test_a_stop_that_is_refused_twice_after_a_fill_alarms_nobody() -> None:
    """Shares that the broker books a few seconds late get their stop at the third asking, and nobody is told."""
    bench = _not_flat(Bench())
    _refuses(bench, PriceType.STOP, 2)
    bench.run(70)
    assert bench.exchange.naked() <= timedelta(seconds=2 + 4 + SLACK)
    assert told(bench, StopRefused) == []
    (position,) = bench.positions()
    assert position.stop_refused is None


def test_a_stop_that_the_list_rejects_later_waits_as_well() -> None:
    """A stop that the broker takes and rejects a second later is a refusal: it is not asked each few seconds."""
    bench = _not_flat(Bench())

    def reject() -> None:
        for order in bench.exchange.live(SYMBOL, Side.SELL):
            bench.exchange.end(order.order_id, BrokerStatus.REJECTED)

    for second in range(5, 600):
        bench.at(second, reject)
    bench.run(600)
    assert len(_asked(bench, PriceType.STOP)) <= 6 + 600 // 60
    assert len(told(bench, StopRefused)) == 1


def test_the_count_outlives_the_process() -> None:
    """A settlement that dies between a refusal and its count is counted by the next: no pause is skipped."""
    probe = _not_flat(Bench())
    _refuses(probe, PriceType.STOP, 1)
    probe.run(20)
    refused = [k for k, name in enumerate(probe.gate.names, 1) if name == "commit Update:positions"]
    bench = _not_flat(Bench(faults={refused[0]: Fault(how="before")}))
    _refuses(bench, PriceType.STOP)
    bench.run(200)
    pauses = _pauses(_asked(bench, PriceType.STOP))
    assert all(pause >= least for pause, least in zip(pauses, [2, 4, 8, 16, 32, 60], strict=False)), pauses


def test_a_stop_that_goes_at_the_close_is_asked_for_once_at_once() -> None:
    """Shares that are bare at the close get their stop asked at once; a refusal then waits for the next session."""
    bench = _not_flat(Bench())
    last = (CLOSES - START).total_seconds() - 1
    bench.at(last, lambda: bench.exchange.end(502, BrokerStatus.CANCELLED))
    bench.at(last, lambda: _refuses(bench, PriceType.STOP))
    bench.run((ENDS - START).total_seconds())
    asked = [at for at in _asked(bench, PriceType.STOP) if at > START + timedelta(minutes=1)]
    assert len(asked) == 1
    assert timedelta(0) <= asked[0] - CLOSES <= timedelta(seconds=10)
    assert len(told(bench, StopRefused)) == 1


def _target(bench: Bench) -> Bench:
    """Let a position be held whose target is reached after twenty seconds."""
    bench.send(bench.signal())
    bench.at(20, lambda: bench.exchange.set_price(SYMBOL, "102.10", "102.12"))
    return bench


@pytest.mark.parametrize("times", [1, 3])
def test_a_refused_exit_says_so_at_once_and_sells_later(times: int) -> None:
    """The first refusal of an exit is told with the reason and what to cancel; a stop is put back, then it sells."""
    bench = _target(Bench())
    _refuses(bench, PriceType.LIMIT, times)
    bench.run_until_quiet()
    (notice,) = told(bench, ExitRefused)
    assert (notice.symbol, notice.quantity, notice.why) == (SYMBOL, 99, "no (1037)")
    assert notice.at - START <= timedelta(seconds=30)
    assert "other sell orders" in words(notice).text
    ends = [order.state for order in bench.orders() if order.kind is Kind.EXIT]
    assert ends == [*[State.REJECTED] * times, State.FILLED]
    assert wrongs(bench, naked_at_most=12) == []


def test_a_refused_exit_is_told_by_the_one_that_was_refused() -> None:
    """A refused exit is told while settlement rests until its next minute: the one that was refused tells it."""
    bench = Bench()
    bench.send(bench.signal())
    bench.at(51, lambda: bench.exchange.set_price(SYMBOL, "102.10", "102.12"))
    _refuses(bench, PriceType.LIMIT)
    bench.run(59)
    (notice,) = told(bench, ExitRefused)
    assert notice.at - START < timedelta(seconds=57)


def test_an_exit_that_is_always_refused_is_tried_after_pauses_that_grow() -> None:
    """A refused exit does not cancel and replace its stop each ten seconds, and is tried to the end of the session."""
    bench = _target(Bench())
    for price_type in (PriceType.LIMIT, PriceType.MARKET):
        _refuses(bench, price_type)
    bench.run((ENDS - START).total_seconds())
    asked = sorted([*_asked(bench, PriceType.LIMIT), *_asked(bench, PriceType.MARKET)])
    early = [at for at in asked if at < CLOSES - timedelta(minutes=15)]
    for pause, least in zip(_pauses(early), [2, 4, 8, 16, 32, *[60] * len(early)], strict=False):
        assert pause >= least, _pauses(early)
    assert len(early) <= 6 + 25
    last = _pauses([at for at in asked if at not in early])
    assert all(pause <= 10 + 3 * SLACK for pause in last), last
    assert max(asked) < CLOSES
    assert len(told(bench, ExitRefused)) == 1
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [99]
    assert safety(bench) == []
