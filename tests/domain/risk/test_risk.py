from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.control.control import TradingState
from shared.domain.market.quotes import QuoteStatus
from shared.domain.orders.orders import Kind
from shared.domain.orders.positions import Ledger
from shared.domain.risk.risk import ENTRY_RULES, SELL_RULES, deny_codes
from tests.domain.made import (
    NOON,
    OPENS,
    balance,
    codes,
    config,
    control,
    facts,
    held,
    order,
    position,
    quote,
    sell_codes,
    session,
)

SECOND = timedelta(seconds=1)
CENT = Decimal("0.01")


def ledger(**changes: Any) -> Ledger:
    return replace(Ledger(session=OPENS.date()), **changes)


def test_good_entry_and_good_exit_are_approved() -> None:
    """Facts without any fault get no code."""
    assert codes() == ()
    assert sell_codes() == ()


def test_every_rule_is_reported_at_once() -> None:
    """An entry about which nothing is known is denied by every rule that needs a fact."""
    names = "session control quote ledger positions live_orders holdings balance capital realized_before"
    bare = dict.fromkeys(f"{names} equity_peak marks limit_price restriction".split())
    decided_at, off = NOON - 61 * SECOND, 5 * SECOND
    found = codes(**bare, quantity=0, side=Side.SELL, decided_at=decided_at, closed_at=NOON, clock_ahead=off)
    assert found == tuple(ENTRY_RULES)
    assert sell_codes(**bare, quantity=0, side=Side.BUY) == tuple(SELL_RULES)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("control", {"KILL_SWITCH"}),
        ("session", {"SESSION_CLOSED", "LATE_ENTRY"}),
        ("quote", {"QUOTE_STALE", "QUOTE_BAD", "PRICE_COLLAR", "SPREAD_TOO_WIDE", "PRICE_JUMP"}),
        ("holdings", {"LEDGER_MISMATCH", "SYMBOL_HELD_BY_OWNER"}),
        ("equity_peak", {"DRAWDOWN"}),
        (
            "live_orders",
            {
                "NOTIONAL_MAX_SYMBOL",
                "MAX_OPEN_POSITIONS",
                "MAX_OPEN_ORDERS",
                "ONE_LIVE_INTENT_PER_SYMBOL",
                "UNKNOWN_PRESENT",
            },
        ),
        (
            "balance",
            {
                "NOTIONAL_MAX_SYMBOL",
                "EXPOSURE_MAX_ACCOUNT",
                "BUYING_POWER",
                "BALANCE_STALE",
                "DAY_TRADES",
                "INTRADAY_MARGIN",
                "DAY_TRADER_STATUS",
                "MARGIN_CALL",
            },
        ),
        ("restriction", {"ACCOUNT_RESTRICTED"}),
        ("capital", {"NOTIONAL_MAX_SYMBOL", "EXPOSURE_MAX_ACCOUNT", "DAILY_LOSS", "DRAWDOWN"}),
        ("marks", {"NOTIONAL_MAX_SYMBOL", "EXPOSURE_MAX_ACCOUNT", "DAILY_LOSS", "DRAWDOWN"}),
    ],
)
def test_missing_fact_denies(missing: str, expected: set[str]) -> None:
    """Each fact that is missing denies by exactly the rules that need it."""
    assert set(codes(**{missing: None})) == expected


@pytest.mark.parametrize("missing", ["positions", "live_orders"])
def test_sell_that_nobody_can_count_is_denied(missing: str) -> None:
    """A sell is denied unless both our positions and our live orders are known."""
    assert sell_codes(**{missing: None}) == ("NO_SHORT",)


def test_last_share_may_be_sold() -> None:
    """One share is enough for a sell."""
    assert sell_codes(quantity=1) == ()


@pytest.mark.parametrize(("own", "denied"), [("95000.01", False), ("95000.00", True), ("94999.99", True)])
def test_drawdown_is_denied_at_exactly_its_limit(own: str, denied: bool) -> None:
    """Five percent under the peak to the cent denies."""
    found = codes(capital=Decimal(own), equity_peak=Decimal(100_000))
    assert found == (("DRAWDOWN",) if denied else ())


def test_missing_mark_of_a_position_denies() -> None:
    """A held symbol without a price leaves profit and equity unknown, which denies."""
    other = position(symbol="SPY")
    found = codes(positions=(other,), holdings=(held("SPY"),), marks={})
    assert {"DAILY_LOSS", "DRAWDOWN", "EXPOSURE_MAX_ACCOUNT"} <= set(found)


@pytest.mark.parametrize(
    ("state", "denied"),
    [(TradingState.ACTIVE, False), (TradingState.REDUCE_ONLY, True), (TradingState.HALTED, True)],
)
def test_only_active_takes_entries(state: TradingState, denied: bool) -> None:
    """Entries are denied in every trading state but ACTIVE, sells in none of them."""
    assert ("KILL_SWITCH" in codes(control=control(state))) is denied
    assert sell_codes(control=control(state)) == ()


def test_halt_with_exits_blocks_exits_but_no_protective_stop() -> None:
    """Only a halt that names exits blocks them, and protective stops pass even then."""
    halted = control(TradingState.HALTED, exits_too=True)
    assert sell_codes(control=halted) == ("KILL_SWITCH",)
    for kind in (Kind.PROTECT, Kind.MOVE):
        assert sell_codes(control=halted, kind=kind) == ()


@pytest.mark.parametrize(("second", "denied"), [(-1, True), (0, False), (1, False)])
def test_session_opens_on_the_second(second: int, denied: bool) -> None:
    """An entry is denied until the second of the open."""
    now = OPENS + second * SECOND
    found = codes(now=now, decided_at=now, quote=quote(when=now), balance=balance(when=now))
    assert ("SESSION_CLOSED" in found) is denied


@pytest.mark.parametrize(("second", "late"), [(-1, False), (0, True), (1, True)])
def test_last_half_hour_takes_no_entry(second: int, late: bool) -> None:
    """An entry is denied from thirty minutes before the close on."""
    now = session().closes_at - timedelta(minutes=30) + second * SECOND
    assert ("LATE_ENTRY" in codes(now=now, decided_at=now, quote=quote(when=now))) is late


def test_closed_session_denies_sells_that_do_not_rest() -> None:
    """After the close a day order is denied, an order that lives until cancelled is not."""
    assert sell_codes(now=session().closes_at) == ("SESSION_CLOSED",)
    assert sell_codes(now=session().closes_at, term=Term.GOOD_UNTIL_CANCEL, kind=Kind.PROTECT) == ()


@pytest.mark.parametrize(("seconds", "stale"), [(59, False), (60, False), (60.001, True), (-2, False), (-2.001, True)])
def test_signal_lives_sixty_seconds(seconds: float, stale: bool) -> None:
    """A decision is used up to its sixtieth second, and never when it comes from the future."""
    assert ("SIGNAL_STALE" in codes(decided_at=NOON - seconds * SECOND)) is stale


@pytest.mark.parametrize(("seconds", "stale"), [(9, False), (10, False), (10.001, True)])
def test_quote_lives_ten_seconds(seconds: float, stale: bool) -> None:
    """A quote is used up to its tenth second."""
    assert codes(quote=quote(when=NOON - seconds * SECOND)) == (("QUOTE_STALE",) if stale else ())


def test_bad_quote_denies() -> None:
    """A delayed, crossed, foreign or unreadable quote denies an entry."""
    for bad in (
        quote(when=NOON, status=QuoteStatus.DELAYED),
        quote(when=NOON, bid="100.02", ask="100.01"),
        quote(when=NOON, source="yahoo"),
        quote("NaN", bid="1", ask="2", when=NOON),
    ):
        assert "QUOTE_BAD" in codes(quote=bad)


@pytest.mark.parametrize(
    ("limit", "denied"),
    [
        ("99.19", True),
        ("99.20", False),
        ("99.21", False),
        ("100.79", False),
        ("100.80", False),
        ("100.81", True),
    ],
)
def test_collar_around_last_and_mid(limit: str, denied: bool) -> None:
    """A limit further than 0.8 % from last is denied on either side."""
    assert ("PRICE_COLLAR" in codes(limit_price=Decimal(limit))) is denied


def test_collar_also_looks_at_mid() -> None:
    """A limit near the last trade but far from the mid is denied."""
    moved = quote("100.00", bid="101.00", ask="101.02", when=NOON)
    assert "PRICE_COLLAR" in codes(quote=moved, limit_price=Decimal("100.10"))


def test_entry_is_never_a_market_order() -> None:
    """An entry without a limit is denied."""
    assert "MARKET_ORDER_FORBIDDEN" in codes(price_type=PriceType.MARKET, limit_price=None)
    assert "MARKET_ORDER_FORBIDDEN" in codes(price_type=PriceType.STOP)
    assert "MARKET_ORDER_FORBIDDEN" in codes(limit_price=Decimal("NaN"))


@pytest.mark.parametrize(("ask", "wide"), [("100.19", False), ("100.20", False), ("100.21", True)])
def test_spread_has_a_limit(ask: str, wide: bool) -> None:
    """A spread of exactly 40 basis points of the mid passes, one tick more does not."""
    assert ("SPREAD_TOO_WIDE" in codes(quote=quote(bid="99.80", ask=ask, when=NOON))) is wide


@pytest.mark.parametrize(("quantity", "denied"), [(-1, True), (0, True), (1, False), (10_000, False), (10_001, True)])
def test_quantity_has_two_limits(quantity: int, denied: bool) -> None:
    """An entry has at least one share and at most the largest order."""
    assert ("QTY" in codes(quantity=quantity)) is denied


def test_part_of_a_share_is_denied() -> None:
    """A quantity that is no whole number is denied on both sides."""
    assert "QTY" in codes(quantity=1.5)
    assert "QTY" in sell_codes(quantity=1.5)


@pytest.mark.parametrize(("cents", "denied"), [(-1, False), (0, False), (1, True)])
def test_order_has_a_largest_cost(cents: int, denied: bool) -> None:
    """An order that costs one cent more than the largest order is denied."""
    limits = config(limits__order_usd_max=Decimal("1001.00") - cents * CENT)
    assert ("NOTIONAL_MAX_ORDER" in deny_codes(facts(), limits)) is denied


@pytest.mark.parametrize(("cents", "denied"), [(-1, False), (0, False), (1, True)])
def test_symbol_has_a_largest_share(cents: int, denied: bool) -> None:
    """Shares held, live entries and the order together may take 35 % of equity, not a cent more."""
    cost = Decimal(35_000) - 1001 - 500
    ours = position(quantity=1, average_cost=cost + cents * CENT)
    found = codes(
        positions=(ours,), marks={"IBM": ours.average_cost}, live_orders=(order(reserved=Decimal(500)),),
        balance=balance("1000000"),
    )  # fmt: skip
    assert ("NOTIONAL_MAX_SYMBOL" in found) is denied


@pytest.mark.parametrize(("cents", "denied"), [(-1, False), (0, False), (1, True)])
def test_cash_reserve_is_never_touched(cents: int, denied: bool) -> None:
    """All positions, reservations and the order may take 80 % of equity, not a cent more."""
    reserved = Decimal(80_000) - 1001 - 50_000 + cents * CENT
    other = position(symbol="SPY", quantity=500)
    found = codes(
        positions=(other,), marks={"SPY": Decimal(100)}, holdings=(held("SPY", 500),),
        ledger=ledger(reserved=reserved), balance=balance("1000000"),
    )  # fmt: skip
    assert found == (("EXPOSURE_MAX_ACCOUNT",) if denied else ())


@pytest.mark.parametrize(("count", "denied"), [(8, False), (9, False), (10, True)])
def test_positions_have_a_number(count: int, denied: bool) -> None:
    """The tenth symbol may be entered, the eleventh not, counting entries that are under way."""
    names = [f"S{number}" for number in range(count - 1)]
    found = codes(
        positions=tuple(position(symbol=name, quantity=1) for name in names),
        holdings=tuple(held(name) for name in names),
        marks=dict.fromkeys(names, Decimal(100)),
        live_orders=(order(symbol="LAST"),),
    )
    assert found == (("MAX_OPEN_POSITIONS",) if denied else ())


@pytest.mark.parametrize(("count", "denied"), [(28, False), (29, False), (30, True)])
def test_live_orders_have_a_number(count: int, denied: bool) -> None:
    """The thirtieth live order may be placed, the next not."""
    stops = tuple(order(symbol="SPY", kind=Kind.PROTECT, side=Side.SELL) for _ in range(count))
    assert codes(live_orders=stops) == (("MAX_OPEN_ORDERS",) if denied else ())


def test_symbol_is_entered_once() -> None:
    """A live order or an open position of ours in the symbol denies another entry."""
    assert codes(live_orders=(order(),)) == ("ONE_LIVE_INTENT_PER_SYMBOL",)
    ours = {"positions": (position(),), "holdings": (held("IBM"),), "marks": {"IBM": Decimal(100)}}
    assert codes(**ours) == ("ONE_LIVE_INTENT_PER_SYMBOL",)


@pytest.mark.parametrize(("entries", "denied"), [(38, False), (39, False), (40, True)])
def test_day_has_a_number_of_entries(entries: int, denied: bool) -> None:
    """The fortieth entry of a day passes, the next not."""
    assert codes(ledger=ledger(entries=entries)) == (("ENTRIES_PER_DAY",) if denied else ())


@pytest.mark.parametrize(("cents", "denied"), [(-1, False), (0, False), (1, True)])
def test_reserved_cash_is_not_spent_twice(cents: int, denied: bool) -> None:
    """The order and all reservations fit into the broker's usable figure to the cent."""
    usable = Decimal(20_000) - cents * CENT
    found = codes(ledger=ledger(reserved=Decimal(20_000) - 1001), balance=balance(str(usable)))
    assert ("BUYING_POWER" in found) is denied


@pytest.mark.parametrize(("seconds", "stale"), [(59, False), (60, False), (61, True)])
def test_balance_lives_a_minute(seconds: int, stale: bool) -> None:
    """A balance is used up to its sixtieth second."""
    assert codes(balance=balance(when=NOON - seconds * SECOND)) == (("BALANCE_STALE",) if stale else ())


@pytest.mark.parametrize(("seconds", "stale"), [(-1, False), (0, False), (1, True)])
def test_balance_is_younger_than_the_last_fill(seconds: int, stale: bool) -> None:
    """A balance read before our last fill denies."""
    when = NOON - 10 * SECOND
    found = codes(balance=balance(when=when), ledger=ledger(last_fill_at=when + seconds * SECOND))
    assert found == (("BALANCE_STALE",) if stale else ())


def test_entry_never_sells() -> None:
    """An entry that sells would be a short and is denied."""
    assert "NO_SHORT" in codes(side=Side.SELL)


@pytest.mark.parametrize(("quantity", "denied"), [(9, False), (10, False), (11, True)])
def test_sell_is_covered_by_our_shares(quantity: int, denied: bool) -> None:
    """No more is sold than the position holds, whatever else the account holds."""
    found = sell_codes(quantity=quantity, holdings=(held("IBM", 500),))
    assert found == (("NO_SHORT",) if denied else ())


def test_shares_promised_to_a_live_sell_are_not_sold_again() -> None:
    """A live stop reserves its shares, less what it filled, unless this order replaces it."""
    stop = order(intent_id="STOP", kind=Kind.PROTECT, side=Side.SELL, quantity=10, filled=4)
    assert sell_codes(live_orders=(stop,), quantity=5) == ("NO_SHORT",)
    assert sell_codes(live_orders=(stop,), quantity=4) == ()
    assert sell_codes(live_orders=(stop,), kind=Kind.MOVE, replaces="STOP", quantity=10) == ()
    assert sell_codes(live_orders=(replace(stop, symbol="SPY"),)) == ()


def test_sell_is_covered_by_the_account() -> None:
    """Shares that the account no longer holds are not sold; an unknown portfolio does not stop an exit."""
    assert sell_codes(holdings=(held("IBM", 9),)) == ("NO_SHORT",)
    assert sell_codes(holdings=None) == ()


@pytest.mark.parametrize(("loss", "denied"), [("1999.99", False), ("2000.00", True), ("2000.01", True)])
def test_daily_loss_stops_entries(loss: str, denied: bool) -> None:
    """A loss of two percent of the session's first equity denies, a cent less does not."""
    assert codes(ledger=ledger(realized=-Decimal(loss))) == (("DAILY_LOSS",) if denied else ())
    other = position(symbol="SPY", quantity=1, average_cost=Decimal(5000))
    found = codes(
        positions=(other,), holdings=(held("SPY", 1),), marks={"SPY": 5000 - Decimal(loss)},
        balance=balance("200000"),
    )  # fmt: skip
    assert found == (("DAILY_LOSS",) if denied else ())


@pytest.mark.parametrize(("peak", "denied"), [("105263.15", False), ("105263.16", True), ("105263.17", True)])
def test_drawdown_stops_entries(peak: str, denied: bool) -> None:
    """Own equity five percent below its peak denies, less does not."""
    assert codes(equity_peak=Decimal(peak)) == (("DRAWDOWN",) if denied else ())


def test_lost_capital_denies() -> None:
    """Without any equity of our own the loss rules deny."""
    found = codes(realized_before=Decimal(-100_000), equity_peak=Decimal(0))
    assert {"DAILY_LOSS", "DRAWDOWN", "EXPOSURE_MAX_ACCOUNT"} <= set(found)


@pytest.mark.parametrize(("second", "denied"), [(-1, True), (0, False), (1, False)])
def test_cool_down_ends_on_its_second(second: int, denied: bool) -> None:
    """A cool-down after losses denies until its instant."""
    found = codes(ledger=ledger(losses_in_a_row=5, cooldown_until=NOON - second * SECOND))
    assert found == (("CONSECUTIVE_LOSSES",) if denied else ())


@pytest.mark.parametrize(("second", "denied"), [(-1, True), (0, False), (1, False)])
def test_symbol_rests_after_its_exit(second: int, denied: bool) -> None:
    """A symbol may be entered again fifteen minutes after our position in it closed."""
    found = codes(closed_at=NOON - timedelta(minutes=15) - second * SECOND)
    assert found == (("COOLDOWN_SYMBOL",) if denied else ())


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("tenths", "denied"), [(0, False), (49, False), (50, True), (51, True), (600, True), (9_000, True)]
)
def test_a_clock_that_is_off_stops_entries(sign: int, tenths: int, denied: bool) -> None:
    """From five seconds on, either way, nothing is entered; what is held may be sold whatever the clock says."""
    off = sign * tenths * SECOND / 10
    assert codes(clock_ahead=off) == (("CLOCK_SKEW",) if denied else ())
    assert sell_codes(clock_ahead=off) == ()


def test_a_clock_that_was_not_measured_stops_nothing() -> None:
    """Where no answer says what time it is, entries are judged by everything else."""
    assert codes(clock_ahead=None) == ()
