from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from shared.domain.base.ids import signal_id
from shared.domain.market.halts import FROZEN, HALTED, ONE_SIDED, PAUSE, UNTRADED, Sign
from shared.domain.orders.signals import Signal, Vote
from shared.strategies import registry
from shared.strategies.decide import FEW, SIGNAL, NoSignal, decide, joint_confidence, stop_distance, voted
from shared.strategies.form import Bound, StrategyFault, asked
from shared.strategies.view import View
from tests.domain.made import at, quote, session
from tests.strategies.own import write
from tests.strategies.seen import NAMES, ONE_VOTE, TWO_VOTES, USED, bars_until, indicators, view

SECOND = timedelta(seconds=1)


def codes(seen: View) -> tuple[str, ...]:
    decision = decide(seen, ONE_VOTE, USED)
    return tuple(reason.code for reason in decision.reasons) if isinstance(decision, NoSignal) else ()


def test_signal_names_its_slot_and_its_votes() -> None:
    """Two votes make a signal that carries price, distance, confidence and the slot that names it."""
    decision = decide(view(at=at(33)), ONE_VOTE, USED)
    assert isinstance(decision, Signal)
    assert decision.signal_id == signal_id(strategy="momentum", symbol="IBM", side="BUY", session=session().day, slot=6)
    assert (decision.slot, decision.decision_price) == (6, Decimal("102.00"))
    assert [vote.strategy for vote in decision.votes] == ["momentum", "opening_range"]
    assert decision.strategy == "momentum"
    assert decision.confidence == Decimal("0.9775")
    assert decision.stop_distance == Decimal("1.2000")
    assert decision.decided_at == at(33)


def test_slot_changes_every_five_minutes() -> None:
    """The same strategy and symbol have one signal in a slot of five minutes."""
    first, same, following = (decide(view(at=at(minute)), ONE_VOTE, USED) for minute in (30, 34.99, 35))
    assert isinstance(first, Signal)
    assert isinstance(same, Signal)
    assert isinstance(following, Signal)
    assert first.signal_id == same.signal_id != following.signal_id


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (view(at=at(-1)), ("SESSION_CLOSED",)),
        (view(at=session().closes_at), ("SESSION_CLOSED",)),
        (view(at=session().closes_at - timedelta(minutes=30)), ("LATE_ENTRY",)),
        (view(at=session().closes_at - timedelta(minutes=30) - SECOND), ()),
        (view(quote=quote("4.99")), ("PRICE_OUT_OF_RANGE",)),
        (view(quote=quote("1000.01", previous_close="900")), ("PRICE_OUT_OF_RANGE",)),
        (view(quote=quote("1000.00", previous_close="900")), ()),
        (view(quote=quote("140.00", previous_close="100")), ()),
        (view(quote=quote("140.01", previous_close="100")), ("PRICE_JUMP",)),
        (view(quote=quote("101.00", previous_close="10"), daily_close=Decimal(10)), ("PRICE_JUMP",)),
        (view(daily_close=Decimal("138.60")), ()),
        (view(daily_close=Decimal("138.61")), ("PRICE_JUMP",)),
        (view(quote=replace(quote("102.00"), adjusted=True)), ("PRICE_JUMP",)),
        (view(quote=replace(quote("102.00"), adjusted=True), daily_close=Decimal("99.00")), ()),
        (view(quote=replace(quote("102.00"), previous_close=None)), ("PRICE_JUMP",)),
        (view(prior_close=Decimal("100.98")), ()),
        (view(prior_close=Decimal("100.99")), ("SOURCES_DIFFER",)),
        (view(prior_close=Decimal("97.05")), ("SOURCES_DIFFER",)),
        (view(signs=(Sign(code=FROZEN, found="0:00:21", asked="less than 0:00:20"),)), (FROZEN,)),
        (view(signs=tuple(Sign(code=code) for code in (HALTED, ONE_SIDED, UNTRADED))), (HALTED, ONE_SIDED, UNTRADED)),
        (view(signs=(Sign(code=PAUSE),), quality=Decimal("0.2")), (PAUSE,)),
        (view(bars=bars_until(at(30))[27:]), ()),
        (view(bars=bars_until(at(30))[28:]), ("LATE_START",)),
        (view(bars=bars_until(at(25))), ("LATE_START",)),
        (view(bars=bars_until(at(27)), at=at(29.99)), ()),
        (view(quote=quote("102", volume=99_999)), ("DAY_VOLUME_LOW",)),
        (view(quote=quote("102", volume=100_000)), ()),
        (view(quote=quote("102", bid="99.80", ask="100.21")), ("SPREAD_TOO_WIDE",)),
        (view(quality=Decimal("0.2")), ("QUALITY_LOW",)),
        (view(quote=quote("100.00")), ("momentum:RISE_TOO_SMALL", "opening_range:INSIDE_RANGE")),
        (view(indicators=indicators(rsi=None)), ("RSI_UNKNOWN",)),
        (view(indicators=indicators(rsi=54.99)), ("RSI_TOO_LOW",)),
        (view(indicators=indicators(rsi=55.0)), ()),
        (view(indicators=indicators(rsi=80.0)), ()),
        (view(indicators=indicators(rsi=80.01)), ("RSI_TOO_HIGH",)),
        (view(quote=quote("102", bid="101.70", ask="102.00"), indicators=indicators(atr=Decimal(0))), ()),
        (
            view(quote=quote("102", bid="101.69", ask="102.00"), indicators=indicators(atr=Decimal(0))),
            ("TARGET_DOES_NOT_PAY",),
        ),
    ],
)
def test_first_blocking_rule_is_named(seen: View, expected: tuple[str, ...]) -> None:
    """Each filter and gate blocks on its own side of its limit, and is named."""
    assert codes(seen) == expected


def test_sources_that_differ_say_both_figures() -> None:
    """The receipt of closes that disagree has the broker's and the stored one."""
    decision = decide(view(prior_close=Decimal("49.50")), ONE_VOTE, USED)
    assert isinstance(decision, NoSignal)
    (reason,) = decision.reasons
    assert (reason.found, reason.asked) == (Decimal("99.00"), "within 2 % of 49.50")


def test_too_few_bars_are_counted() -> None:
    """Who asks why there is no RSI reads how many bars there are, and how many it needs."""
    decision = decide(view(bars=bars_until(at(30))[18:], indicators=indicators(rsi=None)), ONE_VOTE, USED)
    assert isinstance(decision, NoSignal)
    (reason,) = decision.reasons
    assert (reason.code, reason.found, reason.asked) == ("RSI_UNKNOWN", 12, "15 or more")


def test_a_symbol_that_is_watched_from_the_open_may_be_bought_at_once() -> None:
    """The first minutes of the session are no late start for who saw the first of them."""
    for minute in (0.2, 1, 1.5):
        assert "LATE_START" not in codes(view(at=at(minute)))
    assert codes(view(at=at(2), bars=())) == ("LATE_START",)


def test_single_vote_at_its_threshold_is_not_enough() -> None:
    """One strategy that has just reached its threshold is not confident enough alone."""
    barely = view(quote=quote("102.00", previous_close="100.00"), opening_range=None)
    assert codes(barely) == ("CONFIDENCE_LOW",)
    assert codes(replace(barely, quote=quote("102.40", previous_close="100.00"))) == ()


def test_votes_are_counted() -> None:
    """With two votes asked for, one vote is refused with the other strategy's reason."""
    decision = decide(view(opening_range=None), TWO_VOTES, USED)
    assert isinstance(decision, NoSignal)
    assert [reason.code for reason in decision.reasons] == ["opening_range:NO_OPENING_RANGE"]


@pytest.mark.parametrize("used", [USED[:1], ()])
def test_fewer_strategies_than_votes_buy_nothing(used: tuple[Bound, ...]) -> None:
    """Where strategies were left out and fewer are there than votes are asked for, that is the reason."""
    decision = decide(view(), TWO_VOTES, used)
    assert decision == NoSignal((FEW.on(len(used), "2 or more"),))


def test_a_strategy_that_cannot_be_asked_says_nothing_of_the_symbol(tmp_path: Path) -> None:
    """A fault is no decision: whoever asked goes on without that strategy, and asks anew."""
    wrong = replace(ONE_VOTE, strategies={"mine": {}, "momentum": {}})
    used = registry.bound(wrong, str(write(tmp_path, vote="return view.sentiment")))
    with pytest.raises(StrategyFault, match="strategy mine: it raised AttributeError"):
        decide(view(), wrong, used)
    assert isinstance(decide(view(), wrong, used[1:]), Signal)


def test_independent_votes_add_up() -> None:
    """Two votes of 0.70 are 0.91 together, one stays what it is."""
    vote = Vote(strategy="x", confidence=Decimal("0.70"), reasons=())
    assert joint_confidence([vote]) == Decimal("0.7000")
    assert joint_confidence([vote, vote]) == Decimal("0.9100")


@pytest.mark.parametrize(
    ("atr", "expected"),
    [
        (None, "1.2000"),
        ("0.10", "0.6000"),
        ("0.20", "0.6000"),
        ("0.21", "0.6300"),
        ("0.66", "1.9800"),
        ("0.67", "2.0000"),
    ],
)
def test_stop_distance_is_three_atrs_within_its_limits(atr: str | None, expected: str) -> None:
    """The distance is three ATRs, not under 0.6 % nor over 2 % of the price, and 1.2 % without an ATR."""
    seen = view(quote=quote("100.00"), indicators=indicators(atr=None if atr is None else Decimal(atr)))
    assert stop_distance(ONE_VOTE.exits, seen.quote.last, seen.indicators.atr) == Decimal(expected)


@pytest.mark.parametrize(
    ("seen", "near"),
    [
        (view(), True),
        (view(indicators=indicators(rsi=None)), True),
        (view(indicators=indicators(rsi=54.99)), True),
        (view(indicators=indicators(rsi=80.01)), True),
        (view(quote=quote("100.00")), False),
        (view(quote=quote("102", volume=99_999)), False),
        (view(quality=Decimal("0.2")), False),
        (view(at=session().closes_at), False),
    ],
)
def test_a_verdict_tells_whether_a_strategy_voted(seen: View, near: bool) -> None:
    """A receipt tells whether there was a vote: a signal and each gate say so, a filter does not."""
    said = "+".join(codes(seen)) or f"{SIGNAL}x"
    assert voted(said, NAMES) == near
    if near:
        assert any(isinstance(asked(strategy, seen), Vote) for strategy in USED)


def test_one_vote_of_two_is_near() -> None:
    """Where two votes are asked for, the reason of the one strategy that did not vote says that the other did."""
    seen = view(quote=quote("102.00", previous_close="101.90"))
    said = decide(seen, TWO_VOTES, USED)
    assert isinstance(said, NoSignal)
    assert [reason.code for reason in said.reasons] == ["momentum:RISE_TOO_SMALL"]
    assert voted("momentum:RISE_TOO_SMALL", NAMES)


@pytest.mark.parametrize("said", ["NO_QUOTE", "Throttled", "DELAYED+STALE", "held", "NO_TOKEN", ""])
def test_what_is_no_decision_is_not_near(said: str) -> None:
    """A fault of a quote, a failed call or a held position's verdict says of no vote."""
    assert not voted(said, NAMES)
