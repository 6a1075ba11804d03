"""Sessions by hand whose symbols end early or are missing, and a strategy that buys whatever it is shown."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from infra.backtest.bar_fills import BarFills
from infra.backtest.day import Day, Resolution, Tick
from infra.backtest.engine import play
from infra.backtest.gathered import Gathered, noting
from infra.backtest.minutes import minute_day
from infra.backtest.played import Carried, Played
from infra.backtest.tick_fills import TickFills
from infra.results.facts import Facts, Point
from infra.results.splits import between
from shared.domain.base.calendar import session_after
from shared.domain.base.values import CENT
from shared.domain.control.config import StrategyConfig
from shared.domain.market.bars import Bar
from shared.domain.market.series import Split
from shared.domain.orders.signals import Vote
from shared.strategies.config import load
from shared.strategies.form import Bound
from shared.strategies.verdict import Reason, Verdict
from shared.strategies.view import View
from tests.backtest.made import DAY, MINUTE, history, session

CAPITAL = Decimal(50_000)
PRICE = Decimal(50)
WHOLE = 390
SECONDS = 60
SLACK = Decimal("0.003")
"""What spread, slippage and fees of what is traded in a step cost at the most, of its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A symbol's session: so many minutes from its open on, which lies so much over its last price.

    Before it one share becomes `split`, of which the daily bars say nothing where it is not `said`.
    """

    symbol: str
    minutes: int = WHOLE
    gap: Decimal = Decimal(0)
    split: Decimal = Decimal(1)
    said: bool = True


def days(plan: Sequence[Sequence[Piece]]) -> Iterator[Day]:
    """Give a day for each row of pieces; what has no minutes is missing in it, and begins at its last price again.

    The daily bars of each day have the splits of all days, as a file has them.
    """
    every, last = [DAY], dict[str, Decimal]()
    while len(every) < len(plan):
        every.append(session_after(every[-1]))
    splits = defaultdict[str, list[Split]](list)
    for day, row in zip(every, plan, strict=True):
        for piece in row:
            if piece.split != 1 and piece.minutes and piece.said:
                splits[piece.symbol].append(Split(day=day, ratio=piece.split))
    for day, row in zip(every, plan, strict=True):
        yield _day(day, row, last, splits)


def _day(day: date, row: Sequence[Piece], last: dict[str, Decimal], splits: Mapping[str, list[Split]]) -> Day:
    bars, before = dict[str, list[Bar]](), dict[str, Decimal]()
    for piece in row:
        if piece.minutes:
            before[piece.symbol] = last.get(piece.symbol, PRICE)
            bars[piece.symbol] = walk(day, before[piece.symbol] * (1 + piece.gap) / piece.split, piece.minutes)
            last[piece.symbol] = bars[piece.symbol][-1].close
    known = {
        symbol: replace(history(symbol, close=str(close), before=day), splits=tuple(splits.get(symbol, ())))
        for symbol, close in before.items()
    }
    return minute_day(session(day), known, symbols=list(bars), source="by hand", bars=lambda: bars)


def walk(day: date, begins: Decimal, minutes: int) -> list[Bar]:
    """Give minutes that rise and fall and rise a little more, from a price on."""
    steps = [minute // 3 + minute % 3 for minute in range(minutes + 1)]
    prices = [(begins * (1 + Decimal(step) / 4000)).quantize(CENT) for step in steps]
    return [
        Bar(
            end=session(day).opens_at + (minute + 1) * MINUTE, open=one, high=max(one, other), low=min(one, other),
            close=other, volume=1_000_000,
        )
        for minute, (one, other) in enumerate(pairwise(prices))
    ]  # fmt: skip


def _buys(view: View, own: object) -> Verdict:
    del view, own
    return Vote(strategy="eager", confidence=Decimal(1), reasons=("it buys",))


EAGER = Bound(name="eager", description="It buys.", parameters=None,
              reasons={"NONE": Reason(code="NONE", words="It does not.")}, vote=_buys)  # fmt: skip


def config() -> StrategyConfig:
    """Give the demonstration's, under which one vote is enough and nothing is sold for the time that it is held."""
    demo = load("demo")
    return replace(
        demo, signals=replace(demo.signals, min_votes=1), exits=replace(demo.exits, hold_max_minutes=10 * WHOLE)
    )


def chain(
    plan: Sequence[Day], *, left: Callable[[Carried], Carried] = lambda carried: carried,
    under: StrategyConfig | None = None, sessions: int = 0,
) -> tuple[Facts, list[Played]]:  # fmt: skip
    """Play days one after another in a margin account, as if there were so many; `left` is what each hands on."""
    gathered, found = Gathered(CAPITAL, sessions=sessions or len(plan)), list[Played]()
    carried = Carried.first(CAPITAL, mode="MARGIN")
    for day in plan:
        noted, marks = noting(day)
        fills = TickFills() if day.resolution is Resolution.TICK else BarFills()
        found.append(play(noted, carried, under or config(), (EAGER,), fills))
        carried = left(gathered.add(found[-1], marks))
    facts = gathered.facts(
        title="", resolution=Resolution.MINUTE, source="by hand", configuration="demo", said=()
    )  # fmt: skip
    return facts, found


def as_quotes(day: Day) -> Day:
    """Give a day of bars as quotes of each second: those that its bars end with; in its last minute nobody bids."""
    ends = max(tick.at for tick in day.ticks() if tick.quotes)

    def play() -> Iterator[Tick]:
        for tick in day.ticks():
            bids = 0 if tick.at == ends else 10_000
            for second in range(SECONDS):
                at = tick.at - MINUTE + second * MINUTE / SECONDS
                shown = {
                    name: replace(one, at=at, received_at=at, traded_at=at, bid_size=bids, ask_size=10_000)
                    for name, one in tick.quotes.items()
                }
                yield Tick(at, shown, {})

    return replace(day, resolution=Resolution.TICK, play=play)


def gained(facts: Facts) -> Decimal:
    """Give what the trades say that the account gained: profits after fees, and open profits."""
    return sum((one.net + (one.open_profit or 0) for one in facts.trades), Decimal(0)).quantize(CENT)


def unexplained(facts: Facts, plan: Sequence[Day]) -> list[tuple[Point, Point]]:
    """Give each step of the curve that is larger than what prices did to what was held, and trading cost."""
    closes = {
        tick.at: {
            name: bar.close * between(day.history[name].splits, DAY, day.session.day)
            for name, bar in tick.bars.items()
        }
        for day in plan for tick in day.ticks()
    }  # fmt: skip
    start = Point(at=session().opens_at, equity=CAPITAL, invested=Decimal(0))
    found, last, at = [], dict[str, Decimal](), sorted(closes)
    for one, other in pairwise((start, *facts.equity)):
        move, before = Decimal(0), last.copy()
        while at and at[0] <= other.at:
            last |= (now := closes[at.pop(0)])
            move = max([move, *(abs(price / before.get(name, price) - 1) for name, price in now.items())])
        if abs(other.equity - one.equity) > max(one.invested, other.invested) * (move + SLACK):
            found.append((one, other))
    return found
