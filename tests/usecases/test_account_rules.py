"""The account's own rules through the functions: read, obeyed, told once a day, and never in the way of a sell."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import AccountRecord, BrokerStatus
from shared.domain.broker.day_trades import sessions_before
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.telling.barred import EntriesBarred
from shared.domain.telling.messages import SettleTick
from shared.ports import Envelope
from shared.usecases.base.desk import put, read
from shared.usecases.base.outbox import unpack
from shared.usecases.orders import account
from shared.usecases.telling import notices
from shared.wiring import order_settlement
from tests.domain.made import config, position
from tests.usecases.bench import START, SYMBOL, Bench
from tests.usecases.exchange import Plain, Script
from tests.usecases.post import SETTLEMENT
from tests.usecases.proofs import safety

DAYS = sessions_before(START.date())
SMALL = Decimal(20_000)
ENVELOPE = Envelope(message_id="1", published_at=START, subscription="settle-ticks", attempt=1)


def small(**changes: Any) -> Bench:
    """Give a bench whose margin account is worth 20,000 USD."""
    bench = Bench(**changes)
    bench.exchange.says = {"account_value": SMALL}
    return bench


def traded(bench: Bench, *days: int, symbol: str = "GE") -> None:
    """Let the owner have bought and sold by hand on these of the four sessions before."""
    for number, day in enumerate(days):
        for side in (Side.BUY, Side.SELL):
            order_id = 100 + 2 * number + (side is Side.SELL)
            at = datetime(DAYS[day].year, DAYS[day].month, DAYS[day].day, 15, tzinfo=UTC)
            bench.exchange.book[order_id] = Plain(
                order_id=order_id, symbol=symbol, side=side, quantity=1, filled=1, average_price=Decimal(20),
                price_type=PriceType.LIMIT, term=Term.GOOD_FOR_DAY, limit_price=Decimal(20), stop_price=None,
                status=BrokerStatus.EXECUTED, placed_at=at,
            )  # fmt: skip
            bench.exchange._shows[order_id] = at


def entries(bench: Bench) -> list[Order]:
    """Give the entries in the order of their signals."""
    return [order for order in bench.orders() if order.kind is Kind.ENTRY]


def told(bench: Bench) -> list[EntriesBarred]:
    """Give what the owner was told of the account's rules."""
    found = [unpack(body) for topic, body in bench.bus.sent if topic == "notices"]
    return [notice for notice in found if isinstance(notice, EntriesBarred)]


@pytest.mark.parametrize(("before", "denied"), [(0, False), (2, False), (3, True), (4, True)])
def test_the_fourth_day_trade_is_never_begun(before: int, denied: bool) -> None:
    """With two day trades of the owner's own before today an entry is sent; with three it is denied and told."""
    bench = small()
    traded(bench, *range(before))
    bench.send(bench.signal())
    bench.run(10)
    (entry,) = entries(bench)
    assert (entry.codes == ("DAY_TRADES",)) is denied
    assert [(notice.code, notice.why) for notice in told(bench)] == (
        [("DAY_TRADES", f"{before} in the sessions before, 0 today")] if denied else []
    )
    assert safety(bench) == []


def test_what_is_still_held_counts_as_one() -> None:
    """Three signals at once in a small account with one day trade before: two are bought, the third is denied."""
    for seed in range(12):
        bench = small(seed=seed, latency_s=(0.001, 0.3))
        traded(bench, 2)
        for number, symbol in enumerate(("IBM", "MSFT", "ORCL")):
            bench.exchange.set_price(symbol, "99.99", "100.01")
            bench.send(bench.signal(number, symbol=symbol))
        bench.run(30)
        states = sorted(order.state for order in entries(bench))
        assert states == [State.DENIED, State.FILLED, State.FILLED], seed
        assert len(bench.exchange.posts.keys() & {order.intent_id for order in entries(bench)}) == 2, seed
        assert safety(bench) == [], seed


def test_a_fill_of_a_moment_ago_counts() -> None:
    """A position that opened after the order list was read, and within the seconds that a list serves, counts too."""
    bench = small()
    traded(bench, 0, 1)
    bench.exchange.set_price("MSFT", "99.99", "100.01")
    bench.send(bench.signal(1))
    while not bench.positions():
        bench.run(0.01)
    bench.send(bench.signal(2, symbol="MSFT"))
    bench.run(10)
    assert "DAY_TRADES" in entries(bench)[1].codes


def test_what_was_sold_again_counts_as_one() -> None:
    """A position that was opened and closed today still counts when the next signal comes."""
    bench = small(config=config(limits__symbol_cooldown_minutes=0))
    traded(bench, 0, 1)
    bench.send(bench.signal(1))
    bench.run(15)
    bench.exchange.set_price(SYMBOL, "90.00", "90.02")
    bench.run(30)
    assert bench.exchange.shares[SYMBOL] == 0
    bench.exchange.set_price("MSFT", "99.99", "100.01")
    bench.send(bench.signal(2, symbol="MSFT"))
    bench.run(10)
    assert [order.codes for order in entries(bench)] == [(), ("DAY_TRADES",)]


def test_the_sessions_before_are_read_once() -> None:
    """The count of earlier sessions costs one order list and is kept; an account that is large enough has none."""
    lists = []
    for value in (SMALL, Decimal(100_000)):
        bench = small()
        bench.exchange.says = {"account_value": value}
        for number in (1, 2):
            bench.send(bench.signal(number, decided_at=bench.kernel.now()))
            bench.run(10)
        lists.append(len(bench.journal.named("day_trades")))
        record = read(bench.store, AccountRecord, account.PATH)
        assert record is not None
        assert record.value.day_trades == (0 if value == SMALL else None)
    assert lists == [1, 0]


def test_the_owner_can_switch_the_count_off() -> None:
    """With day_trade_rule off the fourth day trade is begun."""
    bench = small(config=config(account__day_trade_rule="off"))
    traded(bench, 0, 1, 2, 3)
    bench.send(bench.signal())
    bench.run(10)
    assert entries(bench)[0].codes == ()


@pytest.mark.parametrize(
    ("says", "code", "why"),
    [
        ({"calls": ("houseCall",)}, "MARGIN_CALL", "houseCall"),
        ({"day_trader_status": "PDT_MIN_EQUITY_RES_1XK"}, "DAY_TRADER_STATUS", "PDT_MIN_EQUITY_RES_1XK"),
    ],
)
@pytest.mark.parametrize("power", [Decimal(100_000), Decimal(0)])
def test_what_the_broker_says_against_trading_is_obeyed_and_told_once(
    says: dict[str, Any], code: str, why: str, power: Decimal
) -> None:
    """A call or a restriction denies every entry, also where nothing could be spent, and is told as one event."""
    bench = Bench()
    bench.exchange.says = {**says, "cash_buying_power": power}
    for number in (1, 2):
        bench.send(bench.signal(number))
        bench.run(5)
    assert all(code in order.codes and order.state is State.DENIED for order in entries(bench))
    assert {(notice.code, notice.why, notice.event) for notice in told(bench)} == {
        (code, why, f"{START.date()}:{code}")
    }


def test_a_restricted_account_is_asked_once() -> None:
    """After a preview refused with 1036 the session's entries are denied without one; the next session tries again."""
    bench = Bench()
    bench.exchange.restricted = True
    bench.send(bench.signal(1))
    bench.run(5)
    previews = bench.gate.names.count("preview")
    bench.exchange.restricted = False
    bench.send(bench.signal(2))
    bench.run(5)
    assert [order.codes for order in entries(bench)] == [("preview:1036",), ("ACCOUNT_RESTRICTED",)]
    assert bench.gate.names.count("preview") == previews
    assert {notice.code for notice in told(bench)} == {"ACCOUNT_RESTRICTED"}


def test_a_restriction_never_keeps_a_sell_back() -> None:
    """A stop that is refused because the account is restricted is told and asked for again, and it is placed then."""
    bench = Bench()
    bench.send(bench.signal())
    while not bench.exchange.shares[SYMBOL]:
        bench.run(0.01)
    bench.exchange.restricted = True
    bench.run(20)
    bench.exchange.restricted = False
    bench.run(90)
    assert {notice.code for notice in told(bench)} == {"ACCOUNT_RESTRICTED"}
    stops = [order for order in bench.orders() if order.kind is Kind.PROTECT]
    assert State.REJECTED in {order.state for order in stops}
    assert stops[-1].state is State.WORKING


@pytest.mark.parametrize(("profit", "marked"), [("-0.01", True), ("5", False)])
def test_an_entry_after_a_loss_is_marked(profit: str, marked: bool) -> None:
    """An entry soon after a loss in its symbol is sent like any other and carries the mark; the loss is remembered."""
    bench = Bench(config=config(limits__symbol_cooldown_minutes=0))
    lost_at = START if Decimal(profit) < 0 else None
    bench.store.commit([
        put(f"positions/{SYMBOL}", position(is_open=False, quantity=0, closed_at=START, lost_at=lost_at)),
    ])  # fmt: skip
    bench.send(bench.signal())
    bench.run(10)
    (entry,) = entries(bench)
    assert (entry.state, entry.possible_wash_sale) == (State.FILLED, marked)
    held = bench.store.get(f"positions/{SYMBOL}")
    assert held is not None
    assert (held.data["lost_at"] is not None) is marked


def test_proceeds_of_today_are_not_spent_in_a_cash_account() -> None:
    """A cash account's entry spends settled cash alone: what was sold today buys nothing, whatever else could pay."""
    bench = Bench()
    bench.exchange.says = {
        "account_mode": "CASH", "settled_cash": Decimal(100), "cash_buying_power": Decimal(100_000),
    }  # fmt: skip
    bench.send(bench.signal())
    bench.run(10)
    (entry,) = entries(bench)
    assert entry.state is State.DENIED
    assert not bench.exchange.posts


@pytest.mark.parametrize(
    ("codes", "state", "marked", "barred"),
    [
        (("7084",), State.FILLED, True, []), (("1036",), State.DENIED, False, ["ACCOUNT_RESTRICTED"]),
        (("1043",), State.DENIED, False, []),
    ],
)  # fmt: skip
def test_what_a_preview_says_beside_its_yes_is_heard(
    codes: tuple[str, ...], state: State, marked: bool, barred: list[str]
) -> None:
    """A preview with E*TRADE's warning of a wash sale marks the entry; "restricted" or "halted" ends it."""
    bench = Bench()
    bench.exchange.beside = codes
    bench.send(bench.signal())
    bench.run(10)
    (entry,) = entries(bench)
    assert (entry.state, entry.possible_wash_sale) == (state, marked)
    assert [notice.code for notice in told(bench)] == barred


def test_a_place_that_says_restricted_is_unknown_and_bars_entries() -> None:
    """An unclear answer to a place with code 1036 leaves that order in doubt and ends the session's entries."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="unclear", side=Side.BUY, code="1036"))
    bench.send(bench.signal(1))
    bench.run(5)
    bench.exchange.set_price("MSFT", "99.99", "100.01")
    bench.send(bench.signal(2, symbol="MSFT"))
    bench.run(5)
    first, second = entries(bench)
    assert (first.state, second.codes) == (State.UNKNOWN, ("ACCOUNT_RESTRICTED",))


def test_a_call_is_told_without_a_signal() -> None:
    """A margin call that the minute's look at the balance shows is told once, though nothing wants to be bought."""
    bench = Bench()
    desk = bench.desks[SETTLEMENT]

    def minutes(*calls: str) -> list[str]:
        bench.exchange.says = {"calls": calls}
        for _ in range(2):
            take = order_settlement.handlers(desk)[SettleTick]
            bench.kernel.call(lambda take=take: take(ENVELOPE, SettleTick()), name=SETTLEMENT)  # type: ignore[misc]
        bench.kernel.call(lambda: notices.post(desk), name=SETTLEMENT)
        return [notice.why for notice in told(bench)]

    assert minutes() == []
    assert minutes("fedCall") == ["fedCall"]
    assert minutes("fedCall", "houseCall") == ["fedCall"]
