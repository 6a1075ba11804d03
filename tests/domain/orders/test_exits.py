from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.base.values import PriceType
from shared.domain.market.quality import Sound
from shared.domain.orders.exits import ExitNow, Hold, Judgement, MoveStop, Unquoted, judge
from shared.domain.orders.positions import Position
from shared.domain.orders.watches import ExitDecision, PositionWatch, following, wanted
from tests.domain.made import DEFAULT, NOON, at, position, quote, session

EMPTY: Mapping[str, Any] = MappingProxyType({})
SECOND = timedelta(seconds=1)
CLOSE = session().closes_at
LAST_HOUR = {"opened_at": CLOSE - timedelta(hours=1), "stop_set_at": CLOSE - timedelta(hours=1)}
HELD, LATE = position(), position(**LAST_HOUR)


def bid(price: str) -> Sound:
    ask = Decimal(price) + Decimal("0.02")
    return quote(price, bid=price, ask=str(ask), when=NOON)


BLIND = Unquoted(lasts=30 * SECOND)
"""No sound quote for as long as a time exit waits for one."""


def judged(
    price: str | Unquoted, now: datetime = NOON, *, of: Position = HELD, wants: Mapping[str, Any] = EMPTY, **more: Any
) -> Judgement:  # fmt: skip
    seen = price if isinstance(price, Unquoted) else bid(price)
    facts: dict[str, Any] = {"rsi": 60.0, "session": session(), "config": DEFAULT, **more}
    return judge(of, replace(following(None, of), **wants), seen, now=now, **facts)


def pending(**changes: Any) -> dict[str, ExitDecision]:
    """Give what a watch has when its position is to be sold already."""
    made = ExitDecision(
        exit_id="X",
        reason="target",
        price_type=PriceType.LIMIT,
        limit_price=Decimal("99.90"),
        decided_at=NOON,
        first_at=NOON,
    )
    return {"exit": replace(made, **changes)}


def limit(reason: str, price: str) -> ExitNow:
    return ExitNow(reason=reason, price_type=PriceType.LIMIT, limit_price=Decimal(price))


def market(reason: str) -> ExitNow:
    return ExitNow(reason=reason, price_type=PriceType.MARKET, limit_price=None)


def test_quiet_position_is_held() -> None:
    """Between its levels a position is held, and the best bid is carried on."""
    assert judged("100.50") == Hold(high_water=Decimal("100.50"))
    assert judged("99.50") == Hold(high_water=Decimal("100.00"))


@pytest.mark.parametrize(("price", "sold"), [("101.99", False), ("102.00", True), ("102.01", True)])
def test_target_is_taken_at_the_tick_that_sees_it(price: str, sold: bool) -> None:
    """A bid at twice the stop distance above the entry sells, a cent less does not."""
    verdict = judged(price)
    assert isinstance(verdict, ExitNow) is sold
    if isinstance(verdict, ExitNow):
        assert (verdict.reason, verdict.price_type) == ("target", PriceType.LIMIT)
        assert verdict.limit_price is not None
        assert verdict.limit_price < Decimal(price)


@pytest.mark.parametrize("price", ["98.50", "100.50", "105.00"])
def test_what_the_owner_wants_sold_is_left_at_any_price(price: str) -> None:
    """A position that the owner wants closed is left for that reason at each tick, until an exit is under way."""
    verdict = judged(price, of=position(closing=True))
    assert isinstance(verdict, ExitNow)
    assert (verdict.reason, verdict.price_type) == ("owner", PriceType.LIMIT)
    assert isinstance(judged(price, of=position(closing=True), wants=pending(decided_at=NOON)), Hold)


@pytest.mark.parametrize(("price", "armed"), [("100.99", False), ("101.00", True), ("101.01", True)])
def test_breakeven_arms_at_one_stop_distance(price: str, armed: bool) -> None:
    """From one stop distance above the entry on, the stop follows the trail."""
    verdict = judged(price)
    assert isinstance(verdict, MoveStop) is armed
    if isinstance(verdict, MoveStop):
        assert verdict.breakeven
        assert verdict.level == Decimal("100.39") + (Decimal("0.01") if price == "101.01" else 0)


def test_breakeven_level_pays_for_the_spread() -> None:
    """Where the trail lies below it, the stop goes above the entry by the spread paid."""
    verdict = judged("101.00", of=position(spread_paid=Decimal("0.45")))
    assert verdict == MoveStop(level=Decimal("100.45"), high_water=Decimal("101.00"), breakeven=True)


@pytest.mark.parametrize(("seconds", "moved"), [(14, False), (15, True), (16, True)])
def test_stop_rests_between_moves(seconds: int, moved: bool) -> None:
    """A stop is not moved again before fifteen seconds have passed."""
    of = position(stop_set_at=NOON - seconds * SECOND)
    assert isinstance(judged("101.50", of=of), MoveStop) is moved


@pytest.mark.parametrize(("wanted", "moved"), [("100.68", True), ("100.69", False), ("100.70", False)])
def test_stop_moves_by_a_fifth_of_a_percent(wanted: str, moved: bool) -> None:
    """A move of less than 0.2 % is not worth an order."""
    wants = {"stop_wanted": Decimal(wanted), "breakeven": True}
    assert isinstance(judged("101.50", wants=wants), MoveStop) is moved


def test_trail_that_the_stop_has_not_reached_sells_at_once() -> None:
    """A bid under the trailing level but above the resting stop sells at that tick."""
    wants = {"high_water": Decimal("101.80"), "stop_set_at": NOON - SECOND}
    assert judged("101.19", wants=wants) == Hold(high_water=Decimal("101.80"))
    assert judged("101.18", wants=wants) == limit("trail", "101.07")


@pytest.mark.parametrize(("price", "sold"), [("99.00", False), ("98.81", False), ("98.80", True)])
def test_stop_that_did_not_sell_is_made_up_for(price: str, sold: bool) -> None:
    """A bid well under the stop level means that the stop is gone: the position is sold by decision."""
    verdict = judged(price)
    assert isinstance(verdict, ExitNow) is sold
    assert not isinstance(verdict, ExitNow) or verdict.reason == "stop_missed"
    fresh = position(stop_set_at=NOON - 14 * SECOND)
    assert isinstance(judged(price, of=fresh), Hold)


def test_missed_stop_is_seen_at_exactly_its_limits() -> None:
    """A bid 0.2 % under a stop level that has rested for fifteen seconds sells."""
    rested = position(average_cost=Decimal(101), stop_wanted=Decimal("100.00"), stop_set_at=NOON - 15 * SECOND)
    assert judged("99.80", of=rested) == limit("stop_missed", "99.70")
    assert isinstance(judged("99.81", of=rested), Hold)


def test_stop_moves_by_exactly_its_least_step() -> None:
    """A level that rises by 0.2 % to the cent is worth moving to."""
    held = position(stop_wanted=Decimal("100.00"), average_cost=Decimal("100.18"))
    verdict = judged("100.50", of=held, wants={"breakeven": True})
    assert verdict == MoveStop(level=Decimal("100.20"), high_water=Decimal("100.50"), breakeven=True)


def test_first_second_of_the_session_counts() -> None:
    """A position carried over the night is judged from the second of the open on."""
    assert judged("102.00", at(0), of=position(opened_at=at(-60), stop_set_at=at(-60))) == limit("target", "101.89")


@pytest.mark.parametrize(("rsi", "sold"), [(44.9, True), (45.0, False), (45.1, False), (None, False)])
def test_weak_loser_is_sold(rsi: float | None, sold: bool) -> None:
    """A position that loses while the RSI is below 45 is sold, one that wins is not."""
    assert isinstance(judged("99.99", rsi=rsi), ExitNow) is sold
    assert isinstance(judged("100.00", rsi=rsi), Hold)


@pytest.mark.parametrize(("second", "sold"), [(-1, False), (0, True), (1, True)])
def test_hold_ends_after_four_hours(second: int, sold: bool) -> None:
    """A position is sold four hours after it was opened, to the second."""
    now = at(60) + timedelta(hours=4) + second * SECOND
    verdict = judged("100.10", now)
    assert verdict == (limit("max_hold", "99.99") if sold else Hold(high_water=Decimal("100.10")))


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (601, Hold(high_water=Decimal("100.10"))),
        (600, limit("flatten", "100.10")),
        (181, limit("flatten", "100.10")),
        (180, market("flatten")),
        (1, market("flatten")),
        (0, Hold(high_water=Decimal("100.10"))),
    ],
)
def test_day_ends_flat(left: int, expected: Judgement) -> None:
    """From ten minutes before the close a position is offered at the bid, from three at the market."""
    assert judged("100.10", CLOSE - left * SECOND, of=LATE) == expected


WAITS = Hold(high_water=Decimal("100.00"))


def test_without_a_sound_quote_only_time_sells_and_at_the_market() -> None:
    """No price is guessed: the position waits behind its stop for the flatten or the end of the longest hold."""
    assert judged(BLIND) == WAITS
    assert judged(BLIND, rsi=10.0, wants={"high_water": Decimal("101.80"), "breakeven": True}) == Hold(
        high_water=Decimal("101.80")
    )
    assert judged(BLIND, CLOSE - 601 * SECOND, of=LATE) == WAITS
    assert judged(BLIND, CLOSE - 600 * SECOND, of=LATE) == market("flatten")
    assert judged(BLIND, at(60) + timedelta(hours=4) - SECOND) == WAITS
    assert judged(BLIND, at(60) + timedelta(hours=4)) == market("max_hold")


@pytest.mark.parametrize(("seconds", "sold"), [(0, False), (29, False), (30, True)])
def test_a_time_exit_waits_half_a_minute_for_a_price(seconds: int, sold: bool) -> None:
    """A quote that is missing for a moment costs no limit price; in the last three minutes nothing is waited for."""
    gap = Unquoted(lasts=seconds * SECOND)
    assert isinstance(judged(gap, CLOSE - 500 * SECOND, of=LATE), ExitNow) is sold
    assert isinstance(judged(gap, at(60) + timedelta(hours=4)), ExitNow) is sold
    assert judged(gap, CLOSE - 100 * SECOND, of=LATE) == market("flatten")


@pytest.mark.parametrize("left", [600, 180, 1])
def test_what_the_broker_shows_as_halted_keeps_its_stop(left: int) -> None:
    """Shares that nobody can buy now are not taken from their stop, however late it is."""
    halted = Unquoted(lasts=timedelta(hours=1), halted=True)
    assert judged(halted, CLOSE - left * SECOND, of=LATE) == WAITS
    assert judged(halted, at(60) + timedelta(hours=4)) == WAITS
    assert judged(halted, CLOSE - left * SECOND, of=LATE, wants=pending()) == WAITS


def test_a_pending_exit_without_a_quote_goes_to_the_market_when_its_time_has_come() -> None:
    """What time decided is sold without a price; what a price decided waits for one, behind its stop."""
    assert judged(BLIND, NOON + 30 * SECOND, wants=pending()) == WAITS
    assert judged(BLIND, NOON + 30 * SECOND, wants=pending(reason="max_hold")) == market("max_hold")
    soon = CLOSE - 500 * SECOND
    assert judged(BLIND, soon, of=LATE, wants=pending(decided_at=soon - 20 * SECOND)) == market("target")
    assert judged(BLIND, soon, of=LATE, wants=pending(decided_at=soon - 19 * SECOND)) == WAITS


@pytest.mark.parametrize("reason", ["target", "rsi", "trail", "stop_missed", "owner"])
def test_a_limit_that_rests_in_the_place_of_a_stop_does_not_wait_for_a_quote(reason: str) -> None:
    """What was decided on a sound quote and rests unfilled goes to the market, for no stop protects its shares now."""
    now, wants = NOON + 30 * SECOND, pending(reason=reason)
    assert judged(BLIND, now, wants=wants, exit_live=True) == market(reason)
    assert judged(BLIND, now, wants=wants, exit_live=False) == WAITS
    assert judged(Unquoted(lasts=29 * SECOND), now, wants=wants, exit_live=True) == WAITS
    assert judged(Unquoted(lasts=30 * SECOND, halted=True), now, wants=wants, exit_live=True) == WAITS
    sent = pending(reason=reason, price_type=PriceType.MARKET, limit_price=None)
    assert judged(BLIND, now, wants=sent, exit_live=True) == WAITS


def test_closed_session_or_position_is_left_alone() -> None:
    """Outside the session, and once flat, nothing is decided."""
    assert isinstance(judged("150.00", of=position(is_open=False)), Hold)
    assert isinstance(judged("150.00", session=None), Hold)
    assert isinstance(judged("150.00", at(-1)), Hold)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(("seconds", "again"), [(19, False), (20, True), (21, True)])
def test_pending_exit_is_priced_again_after_twenty_seconds(seconds: int, again: bool, live: bool) -> None:
    """An exit that has not ended is asked for again at the new bid, whatever else the quote would say."""
    verdict = judged("90.00", NOON + seconds * SECOND, of=LATE, wants=pending(), exit_live=live)
    assert verdict == (limit("target", "89.91") if again else Hold(high_water=Decimal("100.00")))


def test_live_exit_at_the_same_price_is_left_to_fill() -> None:
    """Asking again for the price that already rests would only lose its place."""
    wants = pending(limit_price=Decimal("99.90"))
    now = NOON + 60 * SECOND
    assert isinstance(judged("100.00", now, wants=wants, exit_live=True), Hold)
    assert judged("100.00", now, wants=wants, exit_live=False) == limit("target", "99.90")


def test_pending_limit_becomes_a_market_order_at_the_end() -> None:
    """In the last three minutes a pending limit is replaced at once, a market order only when it is gone."""
    soon = CLOSE - 100 * SECOND
    wants = pending(decided_at=soon - 5 * SECOND)
    assert judged("100.00", soon, of=LATE, wants=wants, exit_live=True) == market("target")
    sent = pending(decided_at=soon - 20 * SECOND, price_type=PriceType.MARKET, limit_price=None)
    assert isinstance(judged("100.00", soon, of=LATE, wants=sent, exit_live=True), Hold)
    assert judged("100.00", soon, of=LATE, wants=sent, exit_live=False) == market("target")
    young = pending(decided_at=soon - 19 * SECOND, price_type=PriceType.MARKET, limit_price=None)
    assert isinstance(judged("100.00", soon, of=LATE, wants=young, exit_live=False), Hold)


def test_pending_exit_flattens_at_the_bid() -> None:
    """In the last ten minutes a pending exit is priced again at the bid itself."""
    now = CLOSE - 300 * SECOND
    assert judged("100.00", now, of=LATE, wants=pending(), exit_live=True) == limit("target", "100.00")


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(9850, 10199)), max_size=80))
def test_levels_only_move_up(ticks: list[tuple[int, int]]) -> None:
    """Whatever the market does, each level is above the last, under the bid, and moved as seldom as asked."""
    watch, now = following(None, position()), NOON
    for seconds, cents in ticks:
        now += seconds * SECOND
        price = Decimal(cents) / 100
        verdict = judge(position(), watch, bid(f"{price:.2f}"), rsi=60.0, now=now, session=session(), config=DEFAULT)
        if isinstance(verdict, Hold):
            assert verdict.high_water >= watch.high_water
            watch = replace(watch, high_water=verdict.high_water)
        elif isinstance(verdict, MoveStop):
            assert watch.stop_wanted * Decimal("1.002") <= verdict.level < price
            assert verdict.high_water >= watch.high_water
            assert now - watch.stop_set_at >= 15 * SECOND
            watch = replace(
                watch, stop_wanted=verdict.level, high_water=verdict.high_water, breakeven=verdict.breakeven,
                stop_set_at=now,
            )  # fmt: skip
        else:
            assert verdict.reason in {"trail", "stop_missed"}
            return


@pytest.mark.parametrize(
    ("name", "level", "counts"),
    [("P1", "99.50", "99.50"), ("P1", "98.00", "99.00"), ("P0", "99.50", "99.00")],
)
def test_a_watch_lifts_the_stop_of_its_own_position_alone(name: str, level: str, counts: str) -> None:
    """The higher of the two levels counts for both sides, and a watch of another position counts for neither."""
    at_risk = position(stop_wanted=Decimal("99.00"))
    watch = PositionWatch(
        position_id=name, high_water=Decimal("103.00"), stop_wanted=Decimal(level), stop_set_at=NOON, breakeven=True
    )  # fmt: skip
    assert wanted(at_risk, watch).stop_wanted == Decimal(counts)
    assert wanted(at_risk, None) == at_risk
    followed = following(watch, at_risk)
    assert (followed.position_id, followed.stop_wanted) == ("P1", Decimal(counts))
    assert (followed.high_water, followed.breakeven) == (
        (Decimal("103.00"), True) if name == "P1" else (at_risk.average_cost, False)
    )
