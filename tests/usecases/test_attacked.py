"""Documents that an attacker, a fault or another version left: what is held keeps its stop or is sold."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from shared.codec import encode
from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import Account, BrokerStatus
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, State
from shared.domain.orders.positions import Position
from shared.domain.orders.watches import ExitDecision, PositionWatch
from shared.domain.telling.messages import ExitPosition
from shared.domain.telling.notices import DayResult
from shared.errors import Refused
from shared.ports import Put
from shared.usecases.base import leases, outbox
from shared.usecases.base.desk import put
from shared.usecases.base.pins import pinning
from shared.usecases.control import control
from shared.usecases.sign_in import flows
from tests.domain.made import quote
from tests.doors.fakes import Hands
from tests.usecases.bench import ENDS, START, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.post import PLACEMENT, SETTLEMENT
from tests.usecases.proofs import safety
from tests.usecases.test_sightless import told

JUNK = {"of": "another version"}
BOUND = timedelta(seconds=60)
TARGET_S = 40


def _holding(*, refused: int = 0) -> Bench:
    """Hold shares behind a stop, which the broker refuses so often at first; after a while the target is reached."""
    bench = Bench()
    bench.exchange.scripts += [Script(how="reject", side=Side.SELL, price_type=PriceType.STOP)] * refused
    bench.send(bench.signal())
    for n in range(60):
        price = ("102.10", "102.30", "102.20")[n % 3]
        bench.at(TARGET_S + 9 * n, partial(bench.exchange.set_price, SYMBOL, price, price))
    return bench


def _junk(bench: Bench, path: str) -> Callable[[], object]:
    return lambda: bench.store.commit([Put(path, dict(JUNK))])


def _sold(bench: Bench) -> bool:
    return [one.is_open for one in bench.positions()] == [False]


@pytest.mark.parametrize("refused", [0, 1, 2])
def test_an_exit_that_never_gets_out_leaves_the_shares_behind_a_stop(refused: int) -> None:
    """However often a stop was refused before, an exit whose previews fail for minutes gives it back each time."""
    bench = _holding(refused=refused)
    bench.at(TARGET_S - 1, lambda: bench.exchange.down.update({"preview LIMIT": Refused("code 9999", code=9999)}))
    bench.run(500)
    assert bench.exchange.naked() <= BOUND
    assert [order.state for order in bench.orders() if order.kind is Kind.EXIT].count(State.VOIDED) >= 2


def _pinned_elsewhere(bench: Bench) -> object:
    other = Account(number="99990000", key="elsewhere", mode="CASH", active=True)
    desk = bench.desks[PLACEMENT]
    return bench.store.commit([pinning(other, operator="owner", chance=desk.chance, clock=desk.clock)])


@pytest.mark.parametrize("second", [TARGET_S - 1, TARGET_S + 1, TARGET_S + 2, TARGET_S + 3])
def test_another_choice_of_account_takes_no_stop_away(second: float) -> None:
    """Shares are protected and sold in the account where they lie, whenever the owner chooses another one."""
    bench = _holding()
    bench.at(second, partial(_pinned_elsewhere, bench))
    bench.run(TARGET_S + 60)
    assert _sold(bench)
    assert bench.exchange.naked() <= timedelta(seconds=8)
    assert safety(bench) == []


def test_restrictions_that_cannot_be_read_leave_an_exit_to_the_owners_word() -> None:
    """With the book's half of the trading state damaged nothing is bought, and a target is sold at once."""
    bench = _holding()
    bench.at(TARGET_S - 20, _junk(bench, control.PATH))
    bench.at(TARGET_S - 10, lambda: bench.send(bench.signal(slot=2)))
    bench.run(TARGET_S + 60)
    assert _sold(bench)
    assert [order.kind for order in bench.orders() if order.state is State.FILLED] == [Kind.ENTRY, Kind.EXIT]
    assert bench.exchange.naked() <= timedelta(seconds=8)


def test_neither_half_of_the_trading_state_leaves_the_stop_alone() -> None:
    """Where neither the word nor the restrictions can be read no exit is begun: the stop stays as it is."""
    bench = _holding()
    bench.at(TARGET_S - 20, _junk(bench, control.PATH))
    bench.at(TARGET_S - 20, _junk(bench, control.WORD))
    bench.run(TARGET_S + 120)
    assert bench.exchange.cancels == []
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [99]


def test_who_restricts_over_what_cannot_be_read_halts() -> None:
    """A function that restricts trading writes a damaged document anew, as strict as it may have been."""
    bench = Bench()
    desk = bench.desks[SETTLEMENT]
    bench.store.commit([Put(control.PATH, dict(JUNK))])
    assert control.tighten(desk, TradingState.REDUCE_ONLY, reason="a loss")
    assert control.current(desk).value.state is TradingState.HALTED


def _forged(bench: Bench, **changes: object) -> Position:
    """Write a watch as a scan that was taken over would."""
    bench.looking = False
    (held,) = bench.positions()
    made = PositionWatch(
        position_id=held.position_id, high_water=held.average_cost, stop_wanted=held.stop_wanted,
        stop_set_at=bench.kernel.now(),
    )  # fmt: skip
    bench.store.commit([put(f"watches/{SYMBOL}", replace(made, **changes))])  # type: ignore[arg-type]
    return held


def test_a_level_above_the_market_costs_a_stop_for_seconds_and_not_again_for_minutes() -> None:
    """A stop is put back at the position's own level when the broker refuses the one that the watch wants."""
    bench = Bench()
    bench.exchange.refuses_late_stops = True
    bench.send(bench.signal())
    bench.at(30, lambda: _forged(bench, stop_wanted=Decimal(150)))
    bench.run(300)
    assert [stop.stop_price for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [Decimal("99.01")]
    assert bench.exchange.naked() <= timedelta(seconds=10)
    assert len(bench.exchange.cancels) == 1
    assert bench.positions()[0].stop_wanted == Decimal("99.01")


def _absurd(bench: Bench) -> None:
    """Decide an exit at a limit that nobody pays, and have it worked."""
    now = bench.kernel.now()
    wish = ExitDecision(
        exit_id="X0000000000000000007", reason="target", price_type=PriceType.LIMIT, limit_price=Decimal(9999),
        decided_at=now, first_at=now,
    )  # fmt: skip
    held = _forged(bench, exit=wish)
    message = ExitPosition(
        symbol=SYMBOL, position_id=held.position_id, exit_id=wish.exit_id, session=now.date()
    )  # fmt: skip
    bench.bus.take("exits", outbox.pack(message))


def test_an_exit_at_an_absurd_limit_rests_a_minute_and_no_longer() -> None:
    """Whoever decided an exit that does not fill: after a minute it is cancelled, and the stop is put back."""
    bench = Bench()
    bench.send(bench.signal())

    bench.at(30, partial(_absurd, bench))
    bench.run(150)
    assert [order.state for order in bench.orders() if order.kind is Kind.EXIT] == [State.CANCELLED]
    assert [order.price_type for order in bench.exchange.live(SYMBOL, Side.SELL)] == [PriceType.STOP]


@pytest.mark.parametrize("topic", ["signals", "nowhere"])
def test_a_row_that_must_not_be_published_holds_up_nobody(topic: str) -> None:
    """A row on a topic that its function may not use is left and reported; fills are booked all the same."""
    bench = _holding()
    row = outbox.Row(owner=SETTLEMENT, topic=topic, key="", body=outbox.pack(_exit()).decode())
    bench.store.commit([Put("outbox/order_settlement:forged", encode(row))])
    bench.run(TARGET_S + 60)
    assert _sold(bench)
    assert bench.journal.named("outbox_row_refused")


def _exit() -> ExitPosition:
    return ExitPosition(symbol=SYMBOL, position_id="P", exit_id="X", session=START.date())


@pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"kind": "fill"}'])
def test_a_row_that_holds_no_message_silences_no_notice(body: str) -> None:
    """What is no message is left and reported; the notices beside it are told."""
    bench = _holding()
    row = outbox.Row(owner=SETTLEMENT, topic=outbox.NOTICES, key="", body=body)
    bench.store.commit([Put("outbox/order_settlement:forged", encode(row))])
    owner = replace(bench.desks[SETTLEMENT], store=bench.store)
    bench.at(20, lambda: control.command(owner, TradingState.REDUCE_ONLY, reason="less"))
    bench.run(90)
    assert any(b"trading_" in data for topic, data in bench.bus.sent if topic == outbox.NOTICES)
    assert bench.journal.named("outbox_row_unreadable")


@pytest.mark.parametrize("path", ["account/main", "leases/settle", "leases/close"])
def test_a_record_that_cannot_be_read_is_made_anew(path: str) -> None:
    """The account is asked for again, and a lease is taken over: shares are sold and the day is sealed."""
    bench = _holding()
    bench.at(TARGET_S - 20, _junk(bench, path))
    bench.run((ENDS - START).total_seconds())
    assert _sold(bench)
    assert len(told(bench, DayResult)) == 1
    assert bench.exchange.naked() <= timedelta(seconds=8)


def test_a_position_that_cannot_be_read_stops_entries_and_the_day_is_not_known() -> None:
    """Nothing more is bought beside a damaged position, and the day's result does not say that nothing is held."""
    bench = Bench()
    bench.send(bench.signal())
    bench.at(30, _junk_position(bench))
    bench.run((ENDS - START).total_seconds())
    assert control.current(bench.desks[SETTLEMENT]).value.state is TradingState.REDUCE_ONLY
    (result,) = told(bench, DayResult)
    assert any("cannot be read" in one for one in result.unknown)


def _junk_position(bench: Bench) -> Callable[[], object]:
    return lambda: bench.store.commit([Put(f"positions/{SYMBOL}", {**JUNK, "is_open": True})])


def test_a_lease_that_cannot_be_read_is_taken() -> None:
    """A damaged lease keeps nobody from working."""
    bench = Bench()
    bench.store.commit([Put("leases/settle", dict(JUNK))])
    assert leases.take(bench.desks[SETTLEMENT], "leases/settle", lasts=BOUND) is not None
    assert leases.take(bench.desks[SETTLEMENT], "leases/settle", lasts=BOUND) is None


def test_a_used_link_that_cannot_be_read_is_forgotten() -> None:
    """A damaged record of a link keeps nobody from signing in: it is over, and goes."""
    hands = Hands()
    desk = hands.desk("oauth_callback")
    hands.store.commit([Put("links/x", dict(JUNK))])
    flows.sweep(desk, hands.vault)
    assert hands.store.query("links") == []


@pytest.mark.parametrize("word", ["damaged", "readable"])
def test_a_damaged_position_beside_a_damaged_word_keeps_no_stop_away(word: str) -> None:
    """Entries that cannot be stopped in writing hold up nothing: another position's stop is put back all the same."""
    bench = Bench()
    bench.send(bench.signal())
    bench.at(30, lambda: bench.store.commit([Put("positions/MSFT", {**JUNK, "is_open": True})]))
    if word == "damaged":
        bench.at(30, _junk(bench, control.WORD))
    bench.at(40, lambda: bench.exchange.end(bench.exchange.live(SYMBOL, Side.SELL)[0].order_id, BrokerStatus.CANCELLED))
    bench.run(200)
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [99]
    assert bench.exchange.naked() <= BOUND


def test_a_working_entry_is_cancelled_where_no_half_of_the_state_can_be_read() -> None:
    """Its filled shares are protected within seconds, and the rest is cancelled as under a halt."""
    bench = Bench()
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 40
    bench.send(bench.signal())
    bench.at(2, _junk(bench, control.WORD))
    bench.at(2, _junk(bench, control.PATH))
    bench.run(100)
    assert bench.exchange.naked() <= timedelta(seconds=10)
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [40]


@pytest.mark.parametrize("how", ["take", "lost_after"])
def test_a_level_that_the_broker_took_is_never_lowered(how: str) -> None:
    """Also where the answer to the raised stop was lost: what is put back later stands at its level or above."""
    bench = Bench()
    bench.exchange.refuses_late_stops = True
    bench.send(bench.signal())

    def raised() -> None:
        bench.exchange.scripts.append(Script(how=how, side=Side.SELL, price_type=PriceType.STOP))
        bench.exchange.set_price(SYMBOL, "101.50", "101.52")
        _forged(bench, stop_wanted=Decimal("101.00"))

    bench.at(30, raised)
    bench.at(170, lambda: _forged(bench, stop_wanted=Decimal("102.00")))
    bench.run(300)
    assert [stop.stop_price for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [Decimal("101.00")]


def test_a_level_that_creeps_moves_the_stop_now_and_then() -> None:
    """A watch that asks for a cent more each few seconds costs no more moves than the pace of the configuration."""
    bench = Bench()
    bench.send(bench.signal())
    for n in range(40):
        level = Decimal("99.01") + Decimal("0.01") * (n + 1)
        bench.at(30 + 6 * n, partial(_forged, bench, stop_wanted=level))
    bench.run(290)
    assert 0 < len(bench.exchange.cancels) <= 260 // bench.config.exits.stop_move_every_s


def test_an_exit_that_only_seems_to_wait_for_its_fill_rests_five_minutes_at_most() -> None:
    """Where the scan's last bid is at or above the limit the sell is left alone, but not for ever."""
    bench = Bench()
    bench.send(bench.signal())
    bench.at(30, partial(_absurd, bench))
    for n in range(8):
        bench.at(31 + 50 * n, partial(_quoted, bench, "10000"))
    bench.run(250)
    assert [order.state for order in bench.orders() if order.kind is Kind.EXIT] == [State.WORKING]
    bench.run(140)
    assert [order.price_type for order in bench.exchange.live(SYMBOL, Side.SELL)] == [PriceType.STOP]


def _quoted(bench: Bench, bid: str) -> None:
    """Write a quote as a scan that was taken over would."""
    made = replace(quote(bid, bid=bid, ask=bid, when=bench.kernel.now()), symbol=SYMBOL)
    bench.store.commit([put(f"quotes/{SYMBOL}", made)])


def test_shares_are_sold_where_they_lie_while_the_accounts_cannot_be_listed() -> None:
    """Another choice and a broker that lists no accounts keep neither a stop nor a sale from this session's account."""
    bench = _holding()
    bench.at(TARGET_S - 5, partial(_pinned_elsewhere, bench))
    bench.at(TARGET_S - 5, lambda: bench.exchange.down.update(accounts=Refused("code 100", code=100)))
    bench.run(TARGET_S + 60)
    assert _sold(bench)
    assert bench.exchange.naked() <= timedelta(seconds=8)
