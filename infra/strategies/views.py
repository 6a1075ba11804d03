"""What a strategy sees on a generated day, for tests of one's own and for `strategy check`."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache

from infra.backtest.data import Chapter
from infra.backtest.day import Day
from infra.backtest.generated_data import FIRST_TEN, GeneratedData
from infra.backtest.look_ahead import cut_short, seen
from infra.brokersim.generated import GENERATED_DAY
from shared.strategies.config import load
from shared.strategies.view import View

SEED = 1
SYMBOLS = FIRST_TEN[:5]
SECONDS = timedelta(minutes=20)


def views(*, seed: int = SEED, symbols: Sequence[str] = SYMBOLS) -> Iterator[View]:
    """Give the view of each symbol at each minute of a generated day, one after another.

    A view is of its instant: use it before you take the next, for the day's bars grow meanwhile.
    """
    return seen(_chapter(seed, tuple(symbols)).minutes, load("default"))


def minutes() -> Day:
    """Give the day as bars of a minute, five symbols."""
    return _chapter(SEED, SYMBOLS).minutes


def seconds() -> Day:
    """Give the beginning of the same day as one-second quotes."""
    ticks = _chapter(SEED, SYMBOLS).ticks
    if ticks is None:
        raise RuntimeError("a generated day has quotes each second")
    return cut_short(ticks, ticks.session.opens_at + SECONDS)


@cache
def _chapter(seed: int, symbols: tuple[str, ...]) -> Chapter:
    *_, second = GeneratedData(seed=seed).chapters(GENERATED_DAY, GENERATED_DAY + timedelta(days=1), symbols)
    return second
