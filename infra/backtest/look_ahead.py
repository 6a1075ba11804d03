"""Whether a decision knows what was still to come: data that end early must decide what the whole data decide.

What can go wrong: a strategy reads the day's close, an indicator is made of the whole day, a daily bar of today is in
the history; such a back-test earns what nobody can. What this promises: a session is seen twice, once whole and once as
if the data ended at some instant, and the first decision that differs is named. What a strategy does at one instant in
secret, and not at another, this cannot find: it guards against mistakes, not malice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

from infra.backtest.day import Day, Resolution
from shared.domain.control.config import StrategyConfig
from shared.domain.market.daybook import DayBook
from shared.domain.market.quality import sound
from shared.frozen import frozen
from shared.strategies.decide import Decision, decide
from shared.strategies.form import Bound
from shared.strategies.verdict import Verdict
from shared.strategies.view import View
from shared.strategies.watch import Watch


class Looked(NamedTuple):
    """What was decided of one symbol at one instant: each strategy's verdict, and what came of all."""

    at: datetime
    symbol: str
    verdicts: tuple[Verdict, ...]
    decision: Decision


@frozen
class Ahead:
    """The first decision that knew more than its instant: on the whole data, and on those that end at `cut`."""

    cut: datetime
    whole: Looked
    short: Looked | None

    @property
    def strategies(self) -> tuple[int, ...]:
        """The places of the strategies whose verdict was another."""
        others = () if self.short is None else self.short.verdicts
        return tuple(n for n, one in enumerate(self.whole.verdicts) if n >= len(others) or one != others[n])


def cut_short(day: Day, cut: datetime) -> Day:
    """Give the day as if its data ended at an instant, that one included."""
    return replace(day, play=lambda: takewhile(lambda tick: tick.at <= cut, day.ticks()))


def decisions(day: Day, config: StrategyConfig, strategies: Sequence[Bound]) -> Iterator[Looked]:
    """Decide on every symbol at every instant of a day as the scan does while nothing is held."""
    return (_looked(view, config, tuple(strategies)) for view in seen(day, config))


def seen(day: Day, config: StrategyConfig) -> Iterator[View]:
    """Give the views of a day, one symbol after another at each instant: what has no sound quote is not seen.

    A view is of its instant: use it before you take the next, for the day's bars grow meanwhile.
    """
    watches = {symbol: Watch(symbol, DayBook(day.session), day.history.get(symbol)) for symbol in day.symbols}
    by_bars = day.resolution is Resolution.MINUTE
    for tick in day.ticks():
        for symbol, bar in tick.bars.items():
            watches[symbol].take(bar)
        for symbol, watch in watches.items():
            quote = tick.quotes.get(symbol)
            believed = sound(quote, watch.doubt(quote, tick.at, config))
            if believed is not None:
                yield watch.view(believed, tick.at) if by_bars else watch.see(believed, tick.at)


def ahead(whole: Sequence[Looked], short: Day, cut: datetime, config: StrategyConfig,
          strategies: Sequence[Bound]) -> Ahead | None:  # fmt: skip
    """Compare what the whole data decided with what those decide that end at an instant; None where all is the same.

    `short` is the day as it is known then, `cut_short` of the whole one where only its ticks lie ahead.
    """
    found = decisions(short, config, strategies)
    for one in takewhile(lambda looked: looked.at <= cut, whole):
        other = next(found, None)
        if one != other:
            return Ahead(cut=cut, whole=one, short=other)
    return None


def _looked(view: View, config: StrategyConfig, strategies: tuple[Bound, ...]) -> Looked:
    verdicts = tuple(one.vote(view, one.parameters) for one in strategies)
    return Looked(view.at, view.symbol, verdicts, decide(view, config, strategies))
