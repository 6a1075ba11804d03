"""What every source of daily bars promises, each promise with the mistakes that it must catch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Series, adjusted_closes
from shared.errors import SourceDown, SourceRefused, Unreadable
from shared.ports import HistorySource
from tests.sources.market import NOW, TODAY
from tests.sources.standing import SHORT_S
from tests.sources.world import BEFORE, DIVIDEND, EX_DAY, REVERSE, SPLIT, SPLIT_DAY, START, Mistake, World

FORM_BROKEN = {"alpaca": "bars.c", "yahoo": "quote.close"}


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise: what checks it, and the mistakes, by name, that the check must find."""

    holds: Callable[[World], None]
    mistakes: dict[str, Mistake]


@dataclass(frozen=True)
class Wrapped:
    """A source whose answers are made wrong."""

    source: HistorySource
    wrong: Callable[[Series], Series | None]

    @property
    def name(self) -> str:
        return self.source.name

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Ask rightly, answer wrongly."""
        found = self.source.daily(symbol, start=start, before=before)
        return found if found is None else self.wrong(found)


@dataclass(frozen=True)
class Guided:
    """A source that is asked wrongly."""

    source: HistorySource
    ask: Callable[[HistorySource, str, date, date], Series | None]

    @property
    def name(self) -> str:
        return self.source.name

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Ask wrongly."""
        return self.ask(self.source, symbol, start, before)


def wrongly(wrong: Callable[[World, Series], Series | None]) -> Mistake:
    """Seed a mistake in the answer."""
    return lambda world, source: Wrapped(source, lambda series: wrong(world, series))


def _bars(change: Callable[[World, Series], tuple[DailyBar, ...]]) -> Mistake:
    return wrongly(lambda world, series: replace(series, bars=change(world, series)))


def _adjusted(world: World, series: Series) -> tuple[DailyBar, ...]:
    closes = adjusted_closes(series.bars, world.market.splits, on=TODAY)
    return tuple(replace(bar, close=close) for bar, close in zip(series.bars, closes, strict=True))


def _split_away(_: World, series: Series) -> tuple[DailyBar, ...]:
    return tuple(replace(bar, volume=bar.volume * 3) if bar.day < SPLIT_DAY else bar for bar in series.bars)


def as_traded(world: World) -> None:
    """Bars are as they were traded, to the cent and the share, oldest first, each day once; the source is named."""
    series = world.series()
    assert series.bars == world.market.over(START, BEFORE)
    assert (series.symbol, series.source, series.at, series.mixed) == ("BRK.B", world.kind, NOW, False)
    assert series.made


def in_range(world: World) -> None:
    """No bar is from before the start, or from the day that is named as the first one after."""
    start, before = date(2026, 1, 20), date(2026, 2, 3)
    series = world.series(start=start, before=before)
    assert series.bars == world.market.over(start, before)
    assert (series.bars[0].day, series.bars[-1].day) == (start, date(2026, 2, 2))


def no_half_day(world: World) -> None:
    """Today, whose session is under way, has no bar, however far the question goes."""
    assert world.series(before=TODAY + timedelta(days=1)).bars[-1].day == date(2026, 3, 9)
    assert world.market.bars[-1].day == TODAY


def split_inside(world: World) -> None:
    """Splits and a dividend are given as they were, and divide the closes of before as the owner's shares were."""
    series = world.series()
    assert (series.splits, series.dividends) == ((SPLIT, REVERSE), (DIVIDEND,))
    closes = adjusted_closes(series.bars, series.splits, on=TODAY)
    assert all(0.9 < one / other < 1.1 for one, other in pairwise(closes)), "no close jumps by a split"


def said_twice(world: World) -> None:
    """Days, splits and dividends that a source says twice are given once."""
    world.standing.fault = "twice"
    series = world.series()
    assert series.bars == world.market.over(START, BEFORE)
    assert (series.splits, series.dividends) == ((SPLIT, REVERSE), (DIVIDEND,))


def split_beyond(world: World) -> None:
    """Bars of before a split are as traded also when the question ends before it; a split on that day is given."""
    series = world.series(before=SPLIT_DAY)
    assert series.bars == world.market.over(START, SPLIT_DAY)
    assert (series.splits, series.dividends) == ((SPLIT,), (DIVIDEND,))
    assert world.series(start=EX_DAY + timedelta(days=1), before=SPLIT_DAY - timedelta(days=1)).splits == ()


def unknown(world: World) -> None:
    """A symbol that the source does not know is None."""
    assert world.daily("NOPE") is None


def empty(world: World) -> None:
    """An answer without a day makes up none."""
    world.standing.fault = "empty"
    found = world.daily()
    assert found is None or found.bars == ()


def refused(world: World) -> None:
    """A 429 is SourceRefused with the seconds that it asked for, and until then nothing is asked at all."""
    world.standing.fault, world.standing.headers = "429", {"Retry-After": "90"}
    problem = world.failure()
    assert isinstance(problem, SourceRefused)
    assert problem.wait_s == 90
    assert world.charts() == 1, "the library repeats nothing"
    world.standing.fault = ""
    world.clock.at += timedelta(seconds=30)
    again = world.failure()
    assert isinstance(again, SourceRefused)
    assert (again.wait_s, world.charts()) == (60, 1)
    world.clock.at += timedelta(seconds=61)
    assert world.series().bars


def refused_twice(world: World) -> None:
    """A 429 that names no time rests for a minute, and the next one for two."""
    world.standing.fault = "429"
    for seconds in (60, 120):
        problem = world.failure()
        assert isinstance(problem, SourceRefused)
        assert problem.wait_s == seconds
        world.clock.at += timedelta(seconds=seconds)


def slow(world: World) -> None:
    """An answer that comes a piece at a time is SourceDown when its time is over, though each piece is in time."""
    world.standing.fault, world.within_s = "slow", SHORT_S
    assert isinstance(world.failure(), SourceDown)


def down(world: World) -> None:
    """A source that fails is SourceDown, is asked once, and gives its bars when it is well again."""
    world.standing.fault = "500"
    assert isinstance(world.failure(), SourceDown)
    assert world.charts() == 1
    world.standing.fault = ""
    assert world.series().bars == world.market.over(START, BEFORE)


def changed(world: World) -> None:
    """A field that is missing or of another kind is Unreadable, and named."""
    for fault in ("format", "kind"):
        world.standing.fault = fault
        problem = world.failure()
        assert isinstance(problem, Unreadable)
        assert FORM_BROKEN[world.kind] in problem.detail


def _asking_anew(world: World, _: HistorySource) -> HistorySource:
    return Guided(
        world.fresh(), lambda _s, symbol, start, before: world.fresh().daily(symbol, start=start, before=before)
    )


def _patient(world: World, _: HistorySource) -> HistorySource:
    return world.fresh(within_s=60)


def _without(fault_is: type[Exception], series: Series | None = None) -> Mistake:
    def ask(source: HistorySource, symbol: str, start: date, before: date) -> Series | None:
        try:
            return source.daily(symbol, start=start, before=before)
        except fault_is:
            return series

    return lambda _world, source: Guided(source, ask)


def _nameless(source: HistorySource, symbol: str, start: date, before: date) -> Series | None:
    try:
        return source.daily(symbol, start=start, before=before)
    except Unreadable:
        raise Unreadable("something changed") from None


def _hasty(source: HistorySource, symbol: str, start: date, before: date) -> Series | None:
    try:
        return source.daily(symbol, start=start, before=before)
    except SourceRefused as problem:
        raise SourceRefused(problem.detail) from None


def _made_up(world: World, source: HistorySource) -> HistorySource:
    def ask(_: HistorySource, symbol: str, start: date, before: date) -> Series | None:
        at = world.clock.now()
        return source.daily(symbol, start=start, before=before) or Series(
            symbol=symbol, bars=world.market.bars[:1], source=source.name, made="made up", at=at
        )

    return Guided(source, ask)


def _half(world: World, series: Series) -> tuple[DailyBar, ...]:
    return (*series.bars, world.market.bars[-1])


PROMISES = {
    "as traded": Promise(
        holds=as_traded,
        mistakes={
            "closes divided by later splits": _bars(_adjusted),
            "volumes in the shares of another day": _bars(_split_away),
            "newest first": _bars(lambda _, series: series.bars[::-1]),
            "a day twice": _bars(lambda _, series: (series.bars[0], *series.bars)),
            "a day lost": _bars(lambda _, series: series.bars[:5] + series.bars[6:]),
        },
    ),
    "in range": Promise(
        holds=in_range,
        mistakes={
            "the day of before is given": lambda _, source: Guided(
                source, lambda one, symbol, start, before: one.daily(symbol, start=start, before=before + timedelta(1))
            ),
            "the start is not heeded": lambda _, source: Guided(
                source, lambda one, symbol, start, before: one.daily(symbol, start=start - timedelta(5), before=before)
            ),
        },
    ),
    "no half day": Promise(holds=no_half_day, mistakes={"today is given": _bars(_half)}),
    "split inside": Promise(
        holds=split_inside,
        mistakes={
            "no splits": wrongly(lambda _, series: replace(series, splits=())),
            "no dividends": wrongly(lambda _, series: replace(series, dividends=())),
            "closes divided already": _bars(_adjusted),
        },
    ),
    "said twice": Promise(
        holds=said_twice,
        mistakes={
            "a split twice": wrongly(lambda _, series: replace(series, splits=series.splits[:1] + series.splits)),
            "a day twice": _bars(lambda _, series: (series.bars[0], *series.bars)),
        },
    ),
    "split beyond": Promise(
        holds=split_beyond,
        mistakes={
            "closes divided by the split beyond": _bars(_adjusted),
            "a split on the day of before is left out": wrongly(lambda _, series: replace(series, splits=())),
        },
    ),
    "unknown": Promise(holds=unknown, mistakes={"bars are made up": _made_up}),
    "empty": Promise(holds=empty, mistakes={"bars are made up": lambda world, source: Wrapped(
        _made_up(world, source), lambda series: series if series.bars else replace(series, bars=world.market.bars[:1])
    )}),
    "refused": Promise(
        holds=refused,
        mistakes={
            "the wait is forgotten": _asking_anew,
            "no wait is named": lambda _, source: Guided(source, _hasty),
            "a refusal is nothing known": _without(SourceRefused),
        },
    ),
    "refused twice": Promise(holds=refused_twice, mistakes={"the first refusal is forgotten": _asking_anew}),
    "slow": Promise(holds=slow, mistakes={"it is waited for": _patient, "it is nothing known": _without(SourceDown)}),
    "down": Promise(holds=down, mistakes={"it is nothing known": _without(SourceDown)}),
    "changed": Promise(
        holds=changed,
        mistakes={
            "the field is not named": lambda _, source: Guided(source, _nameless),
            "it is nothing known": _without(Unreadable),
        },
    ),
}  # fmt: skip
