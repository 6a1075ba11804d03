"""No strategy knows what is still to come: what data decide that end early, the whole data decide as well."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.backtest.data import Chapter
from infra.backtest.day import Day
from infra.backtest.generated_data import FIRST_TEN, GeneratedData
from infra.backtest.look_ahead import Looked, ahead, cut_short, decisions
from infra.brokersim.generated import GENERATED_DAY
from shared.domain.control.config import StrategyConfig
from shared.domain.control.tables import strategies_of
from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Series
from shared.domain.orders.signals import Vote
from shared.strategies.config import load
from shared.strategies.form import Bound
from shared.strategies.registry import bound, found
from shared.strategies.verdict import Reason, Verdict
from shared.strategies.view import View

SYMBOLS = FIRST_TEN[:3]
NONE = Reason(code="NONE", words="It does not rise.")
SECONDS = 40 * 60


def every_strategy() -> tuple[StrategyConfig, tuple[Bound, ...]]:
    """Give a configuration of which every strategy that there is votes, and one vote is enough."""
    demo = load("demo")
    table = strategies_of({name: demo.strategies.get(name, {}) for name in found()})
    config = replace(demo, strategies=table, signals=replace(demo.signals, min_votes=1))
    return config, bound(config)


CONFIG, STRATEGIES = every_strategy()


@cache
def chapter() -> Chapter:
    """Give the second of two generated days, which has a history of its own."""
    *_, found = GeneratedData(seed=11).chapters(GENERATED_DAY, GENERATED_DAY + timedelta(days=1), SYMBOLS)
    return found


def minutes() -> Day:
    return chapter().minutes


@cache
def seconds() -> Day:
    """Give the first forty minutes of the same day as quotes."""
    ticks = chapter().ticks
    assert ticks is not None
    return cut_short(ticks, ticks.session.opens_at + timedelta(seconds=SECONDS))


@cache
def whole(kind: str) -> Sequence[Looked]:
    return list(decisions(seconds() if kind == "seconds" else minutes(), CONFIG, STRATEGIES))


def test_every_strategy_is_asked() -> None:
    """The strategies that are looked at are all that there are, and on this day each of them votes."""
    assert [one.name for one in STRATEGIES] == sorted(found())
    voted = {verdict.strategy for one in whole("minutes") for verdict in one.verdicts if isinstance(verdict, Vote)}
    assert {"momentum", "opening_range"} <= voted


@given(minute=st.integers(min_value=1, max_value=390))
@settings(max_examples=12, deadline=None)
def test_no_strategy_looks_ahead_on_bars(minute: int) -> None:
    """Cut after any minute, the bars decide what they decide whole."""
    cut = minutes().session.opens_at + timedelta(minutes=minute)
    assert ahead(whole("minutes"), cut_short(minutes(), cut), cut, CONFIG, STRATEGIES) is None


@given(second=st.integers(min_value=0, max_value=SECONDS))
@settings(max_examples=4, deadline=None)
def test_no_strategy_looks_ahead_on_quotes(second: int) -> None:
    """Cut after any second, the quotes decide what they decide whole."""
    cut = seconds().session.opens_at + timedelta(seconds=second)
    assert ahead(whole("seconds"), cut_short(seconds(), cut), cut, CONFIG, STRATEGIES) is None


def cheating(day: Day) -> Bound:
    """Give a strategy that reads in the data whether a symbol will stand higher ten minutes later."""
    closes = {(symbol, tick.at): bar.close for tick in day.ticks() for symbol, bar in tick.bars.items()}

    def vote(view: View, own: object) -> Verdict:
        del own
        later = closes.get((view.symbol, view.at + timedelta(minutes=10)))
        if later is None or later <= view.quote.last:
            return NONE
        return Vote(strategy="cheating", confidence=CONFIG.signals.confidence_min, reasons=("it will rise",))

    return Bound(name="cheating", description="It cheats.", parameters=None, reasons={"NONE": NONE}, vote=vote)


@pytest.mark.parametrize("minute", [20, 150, 371])
def test_a_strategy_that_looks_ahead_is_caught(minute: int) -> None:
    """A strategy that reads a later price decides otherwise once the data end before it, and is named."""
    day = minutes()
    cut = day.session.opens_at + timedelta(minutes=minute)
    short = cut_short(day, cut)
    honest = bound(CONFIG)[0]
    mine = list(decisions(day, CONFIG, (honest, cheating(day))))
    caught = ahead(mine, short, cut, CONFIG, (honest, cheating(short)))
    assert caught is not None
    assert caught.whole.at > cut - timedelta(minutes=11)
    assert caught.strategies == (1,)


def test_a_daily_bar_of_today_is_caught() -> None:
    """Data that give today's own daily bar to the morning are found out by the decision that changes."""
    day = minutes()
    symbol = SYMBOLS[1]
    last = [tick.bars[symbol] for tick in day.ticks()][-1]
    today = DailyBar(
        day=day.session.day, open=last.open, high=last.high, low=last.low, close=last.close * 3, volume=1
    )  # fmt: skip
    leaking: Series = replace(day.history[symbol], bars=(*day.history[symbol].bars, today))
    leaky = replace(day, history={**day.history, symbol: leaking})
    cut = day.session.opens_at + timedelta(minutes=60)
    caught = ahead(list(decisions(leaky, CONFIG, STRATEGIES)), cut_short(day, cut), cut, CONFIG, STRATEGIES)
    assert caught is not None
    assert caught.whole.symbol == symbol
