"""The signal alone, as a back-test asks for it, is that of the whole decision, though fewer strategies are asked."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.market.daybook import MINUTE, watched_since
from shared.domain.orders.signals import Signal
from shared.strategies import registry
from shared.strategies.decide import FEW, NEWCOMER, NoSignal, decide, in_turn, signal_of
from shared.strategies.form import Bound, asked
from shared.strategies.panel import Panel
from shared.strategies.verdict import Verdict
from shared.strategies.view import View
from tests.domain.made import DEFAULT, OPENS, at, quote
from tests.strategies.own import write
from tests.strategies.seen import RISING, indicators, view

FULL, LITTLE = Decimal("1.0"), Decimal("0.2")
SHIPS = registry.bound(replace(DEFAULT, strategies={name: {} for name in registry.found()}))


def _price(low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.integers(low * 100, high * 100).map(lambda cents: Decimal(cents) / 100)


@st.composite
def views(draw: st.DrawFn) -> View:
    """Give IBM with figures on both sides of what each strategy asks."""
    seen = quote(str(draw(_price(99, 105))), when=at(30), previous_close="99.00")
    bar = draw(st.sampled_from([None, RISING, replace(RISING, close=RISING.open)]))
    figures = indicators(
        last_bar=bar, rsi=draw(st.sampled_from([None, 40.0, 60.0, 90.0])),
        volume_ratio=draw(st.sampled_from([None, Decimal(1), Decimal("1.6"), Decimal(4)])),
        sma_20=draw(st.sampled_from([None, Decimal(100), Decimal(103)])), sma_50=Decimal(99), sma_200=Decimal(98),
        macd_histogram=draw(st.sampled_from([None, Decimal("-0.01"), Decimal("0.01")])),
        atr=draw(st.sampled_from([None, Decimal("0.05"), Decimal("0.40")])),
    )  # fmt: skip
    high = draw(st.sampled_from([None, Decimal(100), Decimal(103)]))
    return view(
        quote=replace(seen, day_volume=draw(st.sampled_from([10, 900_000, 2_000_000]))), indicators=figures,
        opening_range=None if high is None else (Decimal(99), high),
        quality=draw(st.sampled_from([FULL, FULL, LITTLE])),
    )  # fmt: skip


def _signal(seen: View, least: int) -> Signal | None:
    config = replace(DEFAULT, signals=replace(DEFAULT.signals, min_votes=least))
    whole = decide(seen, config, SHIPS)
    return whole if isinstance(whole, Signal) else None


def _alone(seen: View, least: int, turns: tuple[Bound, ...]) -> Signal | None:
    return signal_of(seen, replace(DEFAULT, signals=replace(DEFAULT.signals, min_votes=least)), turns)


@given(seen=views(), least=st.integers(1, 5))
def test_the_signal_alone_is_that_of_the_whole_decision(seen: View, least: int) -> None:
    """Whatever is seen, however many votes are asked, the signal is the same to the order of its votes, or none."""
    assert _alone(seen, least, in_turn(SHIPS)) == _signal(seen, least)


def test_votes_stand_in_the_order_of_their_names() -> None:
    """Where all four vote, the dearest, which is asked last, has the place in the signal that it has in a decision."""
    seen = view(quote=quote("104.00", when=at(30), previous_close="99.00"))
    figures = indicators(
        sma_20=Decimal(100), sma_50=Decimal(99), sma_200=Decimal(98), volume_ratio=Decimal(4), macd_histogram=Decimal(1)
    )
    found = _alone(replace(seen, indicators=figures), 4, in_turn(SHIPS))
    assert found is not None
    assert (
        [vote.strategy for vote in found.votes] == [one.name for one in SHIPS] != [one.name for one in in_turn(SHIPS)]
    )


@given(minutes=st.sets(st.integers(1, 40)), seconds=st.integers(0, 59))
def test_who_is_watched_long_enough_is_told_at_once(minutes: set[int], seconds: int) -> None:
    """Whichever minutes are missing, the short answer for many bars in a row is that of the rule for all of them."""
    now, rules = at(40 + seconds / 60), DEFAULT.quotes
    bars = tuple(replace(RISING, end=at(minute)) for minute in sorted(minutes))
    since = watched_since(bars, at=now, gap=rules.gap_minutes * MINUTE, opens_at=OPENS)
    late = since != OPENS and now - since < rules.late_start_minutes * MINUTE
    seen = view(at=now, bars=bars, quote=quote("102.00", when=now))
    decision = decide(seen, replace(DEFAULT, signals=replace(DEFAULT.signals, min_votes=5)), SHIPS)
    assert isinstance(decision, NoSignal)
    assert [one.code for one in decision.reasons] == [NEWCOMER.code if late else FEW.code]


@given(seen=views())
def test_what_ships_answers_in_the_form(seen: View) -> None:
    """A strategy that ships is no fault, whatever it sees: its answer is that which a check of the form lets pass."""
    for one in SHIPS:
        assert one.ships
        assert asked(one, seen) == asked(replace(one, ships=False), seen)


def _counted(seen: View, strategies: tuple[Bound, ...], least: int) -> Mapping[str, int]:
    counts = dict.fromkeys((one.name for one in strategies), 0)

    def ask(bound: Bound, of: View) -> Verdict:
        counts[bound.name] += 1
        return asked(bound, of)

    config = replace(DEFAULT, signals=replace(DEFAULT.signals, min_votes=least))
    signal_of(seen, config, in_turn(strategies), ask)
    return counts


def test_who_cannot_change_anything_is_not_asked() -> None:
    """Three that do not vote leave too few for two votes, so the fourth and dearest is not asked; for one it is."""
    flat = view(quote=quote("100.00", when=at(30), previous_close="99.00"))
    flat = replace(flat, indicators=indicators(volume_ratio=Decimal(1)))
    asked_once = {"momentum": 1, "opening_range": 1, "volume_surge": 1}
    assert _counted(flat, SHIPS, least=2) == asked_once | {"trend_confirmation": 0}
    assert _counted(flat, SHIPS, least=1) == asked_once | {"trend_confirmation": 1}


@pytest.mark.parametrize(("rsi", "quality"), [(None, FULL), (20.0, FULL), (99.0, FULL), (60.0, LITTLE)])
def test_nobody_is_asked_where_no_vote_opens_the_gate(rsi: float | None, quality: Decimal) -> None:
    """An RSI or a history that forbids every entry leaves nothing to ask those that ship; before them all are asked."""
    open_to_all, shut = view(), view(indicators=indicators(rsi=rsi), quality=quality)
    assert set(_counted(open_to_all, SHIPS, least=1).values()) == {1}
    assert set(_counted(shut, SHIPS, least=1).values()) == {0}
    assert _signal(open_to_all, 1) is not None
    assert _signal(shut, 1) is _alone(shut, 1, in_turn(SHIPS)) is None


@pytest.mark.parametrize("rsi", [60.0, 20.0, None])
@pytest.mark.parametrize("fault", ["raise ValueError('odd')", "return None"])
def test_an_own_strategy_is_always_asked(tmp_path: Path, fault: str, rsi: float | None) -> None:
    """One of the owner's is left out at the tick of its fault, also where its vote could change nothing."""
    folder = str(write(tmp_path, "zeta", vote=fault))
    config = replace(DEFAULT, strategies={"momentum": {}, "zeta": {}}, signals=replace(DEFAULT.signals, min_votes=2))
    seen = view(quote=quote("100.00", when=at(30), previous_close="99.00"), indicators=indicators(rsi=rsi))
    whole, alone = Panel(folder=folder), Panel(folder=folder)
    assert not isinstance(whole.decide(seen, config), Signal)
    assert alone.signal(seen, config) is None
    assert alone.left == whole.left
    assert list(alone.left) == ["zeta"]
