"""The last check: what may be sent is within the owner's limits, whoever wrote the order."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared.domain.base.values import PriceType, Side, Term, Venue
from shared.domain.market.quotes import QuoteStatus
from shared.domain.orders.orders import Kind, Licence, Order, State
from shared.domain.orders.positions import Missing, Position
from shared.domain.risk.last_check import CLOCKS, QUOTE_LIFE, Found, Known, Owner, free_shares, judge
from tests.domain.made import DEFAULT, NOON, OPENS, at, config, order, position, quote

OWNER = Owner(config=DEFAULT, capital=Decimal(100_000), since=OPENS)
LATER = NOON + timedelta(seconds=3)
AFTER_HOURS = at(400)


def entry(**changes: Any) -> Order:
    """Give an entry that passes: ten IBM at 100.10 USD, reserved and previewed."""
    return order(**{"position_id": "I1", "state": State.PREVIEWED, **changes})


def stop(**changes: Any) -> Order:
    """Give a stop that passes, over the ten shares of the position."""
    made: dict[str, Any] = {
        "kind": Kind.PROTECT, "side": Side.SELL, "price_type": PriceType.STOP, "term": Term.GOOD_UNTIL_CANCEL,
        "limit_price": None, "stop_price": Decimal("99.00"), "reserved": Decimal(0), "signal_id": None,
    }  # fmt: skip
    return entry(**{**made, "position_id": "P1", **changes})


def exit_(**changes: Any) -> Order:
    """Give an exit that passes, of the ten shares of the position."""
    made: dict[str, Any] = {
        "kind": Kind.EXIT, "price_type": PriceType.LIMIT, "term": Term.GOOD_FOR_DAY,
        "limit_price": Decimal("99.95"), "stop_price": None,
    }  # fmt: skip
    return stop(**{**made, **changes})


def working(**changes: Any) -> Order:
    """Give the stop that rests over the shares, placed long ago."""
    return stop(**{"intent_id": "W1", "state": State.WORKING, "updated_at": at(60), "broker_order_id": 501, **changes})


def known(**changes: Any) -> Known:
    """Give what a sender of a good order knows."""
    return replace(Known(now=LATER, quote=quote("100.00", when=NOON), position=position()), **changes)


def found(made: Order, owner: Owner = OWNER, **changes: Any) -> Found:
    """Judge an order on what is known, with changes of that."""
    return judge(made, known(**changes), owner)


@pytest.mark.parametrize("made", [
    entry(), entry(term=Term.IMMEDIATE_OR_CANCEL), stop(), stop(kind=Kind.MOVE, replaces="W0"), exit_(),
    exit_(price_type=PriceType.MARKET, limit_price=None), exit_(quantity=3),
])  # fmt: skip
def test_an_order_as_ours_are_may_be_sent(made: Order) -> None:
    """Each kind of order that our own judgement makes passes."""
    assert found(made) == Found()


@pytest.mark.parametrize(("changes", "codes"), [
    ({"side": Side.SELL}, {"SIDE"}),
    ({"price_type": PriceType.MARKET, "limit_price": None},
     {"FORM", "RESERVATION", "NOTIONAL_MAX_ORDER", "CAPITAL_MAX"}),
    ({"limit_price": Decimal("NaN")}, {"FORM", "RESERVATION", "NOTIONAL_MAX_ORDER", "CAPITAL_MAX"}),
    ({"limit_price": Decimal("-100.10"), "reserved": Decimal("-1001.00")},
     {"FORM", "RESERVATION", "NOTIONAL_MAX_ORDER", "CAPITAL_MAX"}),
    ({"price_type": PriceType.STOP}, {"FORM"}),
    ({"term": Term.GOOD_UNTIL_CANCEL}, {"FORM"}),
    ({"stop_price": Decimal(99)}, {"FORM"}),
    ({"position_id": "I0"}, {"FORM"}),
    ({"replaces": "I0"}, {"FORM"}),
    ({"quantity": 0, "reserved": Decimal(0)}, {"QTY"}),
    ({"quantity": -10, "reserved": Decimal("-1001.00")}, {"QTY"}),
    ({"reserved": Decimal(0)}, {"RESERVATION"}),
    ({"reserved": Decimal("NaN")}, {"RESERVATION"}),
    ({"quantity": 440, "limit_price": Decimal(220), "reserved": Decimal(96_800)}, {"NOTIONAL_MAX_ORDER"}),
    ({"quantity": 300, "limit_price": Decimal(205), "reserved": Decimal(61_500)}, {"NOTIONAL_MAX_ORDER"}),
    ({"quantity": 10_001, "limit_price": Decimal(1), "reserved": Decimal(10_001)}, {"ORDER_SHARES_MAX"}),
    ({"filled": 1}, {"SENT_BEFORE"}),
    ({"broker_order_id": 501}, {"SENT_BEFORE"}),
    ({"licence": Licence(nonce="n", signed_at=NOON, deadline=NOON, baseline=(), epoch=0)}, {"SENT_BEFORE"}),
])  # fmt: skip
def test_an_entry_that_no_judgement_makes_is_refused(changes: dict[str, Any], codes: set[str]) -> None:
    """An entry that is not one of ours, or beyond a limit by itself, is refused with each code."""
    assert set(found(entry(**changes)).refused) == codes


def test_an_entry_beyond_the_capital_is_refused() -> None:
    """Where the largest order is larger than the capital, the capital bounds an entry by itself."""
    small = replace(OWNER, capital=Decimal(1000))
    assert found(entry(), small).refused == ("CAPITAL_MAX",)
    assert found(entry(), replace(OWNER, capital=Decimal(1001))) == Found()


@pytest.mark.parametrize(("changes", "code"), [
    ({"now": AFTER_HOURS, "quote": quote("100.00", when=AFTER_HOURS)}, "SESSION_CLOSED"),
    ({"quote": None}, "NO_QUOTE"),
    ({"quote": quote("NaN", when=NOON)}, "NO_QUOTE"),
    ({"now": NOON + QUOTE_LIFE + timedelta(seconds=1)}, "QUOTE_STALE"),
    ({"quote": replace(quote("100.00", when=NOON), at=NOON - timedelta(seconds=11))}, "QUOTE_STALE"),
    ({"quote": quote("100.00", when=NOON, status=QuoteStatus.DELAYED)}, "QUOTE_BAD"),
    ({"quote": quote("100.00", when=NOON, source="elsewhere")}, "QUOTE_BAD"),
    ({"quote": quote("100.91", when=NOON)}, "PRICE_COLLAR"),
    ({"quote": quote("99.00", when=NOON)}, "PRICE_COLLAR"),
    ({"positions": (position(quantity=1000, average_cost=Decimal("99.50")),)}, "CAPITAL_MAX"),
    ({"others": (entry(intent_id="I2", reserved=Decimal(99_500)),)}, "CAPITAL_MAX"),
])  # fmt: skip
def test_an_entry_that_time_or_the_market_overtook_is_void(changes: dict[str, Any], code: str) -> None:
    """What time, the market or the other orders explain ends an entry and accuses nobody."""
    assert found(entry(), **changes) == Found(void=(code,))


def test_a_better_price_voids_nothing_within_the_collar() -> None:
    """A market that came down a little since the judgement leaves the entry as good as it was."""
    assert found(entry(), quote=quote("99.60", when=LATER)) == Found()


@pytest.mark.parametrize(("changes", "owner"), [
    ({}, replace(OWNER, config=config(limits__order_usd_max=900))),
    ({}, replace(OWNER, config=config(limits__order_shares_max=9))),
    ({}, replace(OWNER, capital=Decimal(1000))),
])  # fmt: skip
def test_limits_that_changed_since_the_judgement_accuse_nobody(changes: dict[str, Any], owner: Owner) -> None:
    """An entry that was judged before this process read its limits is void; one that came after is refused."""
    made = entry(created_at=NOON - timedelta(seconds=5), **changes)
    assert "LIMITS_CHANGED" in found(made, replace(owner, since=NOON)).void
    assert found(made, replace(owner, since=NOON - timedelta(seconds=6))).refused
    assert found(made, replace(owner, since=NOON + timedelta(seconds=60))).refused, "no entry lives so long"
    assert found(replace(made, side=Side.SELL), replace(owner, since=NOON)).refused, "no limit explains a sell"


@pytest.mark.parametrize(("made", "codes"), [
    (stop(side=Side.BUY), {"SIDE"}),
    (exit_(side=Side.BUY), {"SIDE"}),
    (stop(stop_price=None), {"FORM"}),
    (stop(stop_price=Decimal("Infinity")), {"FORM"}),
    (stop(limit_price=Decimal(99)), {"FORM"}),
    (stop(term=Term.GOOD_FOR_DAY), {"FORM"}),
    (stop(price_type=PriceType.LIMIT, limit_price=Decimal(99), stop_price=None), {"FORM"}),
    (exit_(term=Term.GOOD_UNTIL_CANCEL), {"FORM"}),
    (exit_(limit_price=None), {"FORM"}),
    (exit_(stop_price=Decimal(99)), {"FORM"}),
    (exit_(price_type=PriceType.MARKET), {"FORM"}),
    (exit_(price_type=PriceType.STOP, limit_price=None, stop_price=Decimal(99), term=Term.GOOD_UNTIL_CANCEL), {"FORM"}),
    (stop(quantity=0), {"QTY"}),
    (stop(broker_order_id=501), {"SENT_BEFORE"}),
    (stop(quantity=11), {"NO_SHORT"}),
    (exit_(quantity=11), {"NO_SHORT"}),
    (exit_(position_id="P2"), {"NOT_HELD"}),
    (stop(venue=Venue.PRODUCTION), {"NOT_HELD"}),
])  # fmt: skip
def test_a_sell_that_no_judgement_makes_is_refused(made: Order, codes: set[str]) -> None:
    """A sell that is not one of ours, or of more than is held, is refused with each code."""
    assert set(found(made).refused) == codes


@pytest.mark.parametrize("made", [stop(), exit_()])
def test_a_sell_of_what_another_sell_covers_is_refused(made: Order) -> None:
    """Shares that a stop has covered since before the sell was made can be sold by no other; fewer of them can."""
    assert found(made, others=(working(),)).refused == ("NO_SHORT",)
    assert found(made, others=(working(quantity=9, filled=8), entry())).refused == ("NO_SHORT",)
    assert found(replace(made, quantity=6), others=(working(quantity=4),)) == Found()
    assert found(made, others=(working(state=State.RESERVED),)) == Found(), "it has its own last check"


@pytest.mark.parametrize("made", [stop(), exit_()])
@pytest.mark.parametrize("changes", [
    {"position": None},
    {"position": position(is_open=False, quantity=0, closed_at=at(120))},
    {"position": position(position_id="P0")},
])  # fmt: skip
def test_a_sell_of_what_was_not_held_when_it_was_made_is_refused(made: Order, changes: dict[str, Any]) -> None:
    """No position, one that had closed, or another one explains no sell."""
    assert found(made, **changes).refused == ("NOT_HELD",)


@pytest.mark.parametrize("made", [stop(), exit_()])
@pytest.mark.parametrize("changes", [
    {"position": position(is_open=False, quantity=0, closed_at=LATER)},
    {"position": position(is_open=False, quantity=0, closed_at=NOON - CLOCKS)},
    {"position": position(position_id="P0", opened_at=LATER)},
    {"position": position(quantity=4), "sold_at": LATER},
    {"position": position(missing=Missing(quantity=3, since=LATER))},
    {"position": position(quantity=7, taken_out=3)},
    {"others": (working(updated_at=LATER),)},
    {"others": (working(state=State.UNKNOWN, updated_at=LATER),)},
])  # fmt: skip
def test_a_sell_whose_shares_went_meanwhile_accuses_nobody(made: Order, changes: dict[str, Any]) -> None:
    """Shares that were sold, missed, taken out or covered since the sell was made end it, and nothing is halted."""
    assert found(made, **changes) == Found(void=("OUTDATED",))


def test_a_stop_is_sent_at_any_time_and_an_exit_in_the_session() -> None:
    """After the close an exit is void, and a stop is sent; neither needs a quote."""
    assert found(exit_(), now=AFTER_HOURS, quote=None) == Found(void=("SESSION_CLOSED",))
    assert found(stop(), now=AFTER_HOURS, quote=None) == Found()
    assert found(exit_(), quote=None) == Found()


_MONEY = some.one_of(
    some.decimals(allow_nan=True, allow_infinity=True),
    some.decimals(min_value="90", max_value="110", places=2),
)  # fmt: skip
_LAST = some.decimals(min_value="95", max_value="105", places=2)
_AT = some.sampled_from([at(60), NOON, LATER, NOON - CLOCKS, AFTER_HOURS])


@some.composite
def orders(draw: some.DrawFn) -> Order:
    """Make any document of the type; half of them are good but for some fields."""
    kinds: dict[str, some.SearchStrategy[Any]] = {
        "kind": some.sampled_from(Kind), "side": some.sampled_from(Side), "symbol": some.sampled_from(["IBM", "MSFT"]),
        "quantity": some.one_of(some.integers(-5, 30), some.integers(-(10**9), 10**9)),
        "price_type": some.sampled_from(PriceType), "term": some.sampled_from(Term),
        "limit_price": some.none() | _MONEY, "stop_price": some.none() | _MONEY, "reserved": _MONEY,
        "position_id": some.sampled_from(["I1", "P1", "P2"]), "filled": some.integers(-1, 1),
        "state": some.sampled_from(State), "created_at": _AT, "replaces": some.none() | some.just("I0"),
        "venue": some.sampled_from(Venue), "broker_order_id": some.none() | some.integers(1, 9),
    }  # fmt: skip
    base = draw(some.sampled_from([entry(), entry(), stop(), exit_()]))
    names = draw(some.sets(some.sampled_from(sorted(kinds)), max_size=2) | some.just(set(kinds)))
    made = replace(base, **{name: draw(kinds[name]) for name in sorted(names)})
    limit = made.limit_price
    if draw(some.booleans()) and limit is not None and limit.is_finite() and abs(limit) < 10**9:
        made = replace(made, reserved=limit * made.quantity)
    return made


@some.composite
def worlds(draw: some.DrawFn) -> Known:
    """Make what is known when an order is judged."""
    share = some.integers(0, 1200)
    held: some.SearchStrategy[Position] = some.builds(
        lambda quantity, missing, is_open: position(quantity=quantity, missing=missing, is_open=is_open), share,
        some.none() | some.builds(Missing, quantity=some.integers(0, 20), since=_AT), some.booleans(),
    )  # fmt: skip
    sell = some.builds(lambda quantity, state: working(quantity=quantity, state=state), share, some.sampled_from(State))
    bought = some.builds(lambda usd: entry(intent_id="I2", reserved=usd), _MONEY)
    quoted = some.builds(lambda last, when: quote(str(last), when=when), _LAST, _AT)
    kinds: dict[str, some.SearchStrategy[Any]] = {
        "now": _AT, "quote": some.none() | quoted, "position": some.none() | held, "sold_at": some.none() | _AT,
        "positions": some.lists(held, max_size=2).map(tuple),
        "others": some.lists(sell | bought, max_size=3).map(tuple),
    }  # fmt: skip
    names = draw(some.sets(some.sampled_from(sorted(kinds)), max_size=2) | some.just(set(kinds)))
    return known(**{name: draw(kinds[name]) for name in sorted(names)})


def _within_limits(made: Order, seen: Known) -> bool:
    limit, offered = made.limit_price, seen.quote
    if made.side is not Side.BUY or limit is None or offered is None or made.price_type is not PriceType.LIMIT:
        return False
    value, held = limit * made.quantity, sum((one.average_cost * one.quantity for one in seen.positions), Decimal(0))
    off = max(abs(limit - offered.last) / offered.last, abs(limit - offered.mid) / offered.mid)
    return (
        1 <= made.quantity <= 10_000 and 0 < value <= 50_000
        and value + held <= OWNER.capital + 1 and off * 100 <= DEFAULT.entry.collar_pct
        and _trades(seen.now) and seen.now - offered.received_at <= QUOTE_LIFE
    )  # fmt: skip


def _is_covered(made: Order, seen: Known) -> bool:
    owned = seen.position
    if made.side is not Side.SELL or owned is None or not owned.is_open or owned.position_id != made.position_id:
        return False
    rests = made.price_type is PriceType.STOP
    return 1 <= made.quantity <= min(free_shares(seen), owned.quantity) and (rests or _trades(seen.now))


def _trades(now: datetime) -> bool:
    return OPENS <= now < at(390)


@settings(max_examples=500, deadline=None)
@given(made=orders(), seen=worlds())
def test_whatever_passes_is_within_every_limit(made: Order, seen: Known) -> None:
    """Whatever document within the types is given, it is judged, and what passes respects every limit of the owner."""
    if judge(made, seen, OWNER) == Found():
        assert _within_limits(made, seen) if made.kind is Kind.ENTRY else _is_covered(made, seen)
