"""One configuration over a span: day after day, with what each leaves to the next, and both resolutions side by side.

What can go wrong: bars decide otherwise than quotes would, and nobody sees by how much. What this promises: where a
session has one-second quotes it is also played as its own bars of a minute (or the other way round), with an account of
its own, and what both decided and earned stands beside the result: on every such session of a back-test on quotes, and
on the first few of one on bars, because quotes cost twenty times as much time. A strategy that does what
none may is left out for the session, as it would live, and named.
"""

import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from infra.backtest.bar_fills import BarFills
from infra.backtest.data import Chapter, Data, Survey
from infra.backtest.day import Day, Resolution
from infra.backtest.engine import play
from infra.backtest.fees import KNOWN_UNTIL
from infra.backtest.gathered import WORDS, Gathered, noting
from infra.backtest.played import Carried, Played
from infra.backtest.shielded import shielded
from infra.backtest.tick_fills import TickFills
from infra.results.data_end import ended, named
from infra.results.facts import Beside, Facts
from infra.results.figures import Figures, figures
from infra.results.words import percent
from infra.simulated_day.account import account_of, mode_of, told
from shared.domain.base import settlement
from shared.domain.broker.brokerage import is_margin
from shared.domain.control.config import StrategyConfig
from shared.domain.telling.wording import count
from shared.frozen import frozen
from shared.strategies.form import Bound
from shared.strategies.registry import bound

_FREED_EVERY = 5
"""After so many sessions what they left in circles of references is freed, so that memory does not wait for chance."""
_OTHER = {Resolution.TICK: Resolution.MINUTE, Resolution.MINUTE: Resolution.TICK}


@frozen
class Task:
    """One configuration to be played; `label` is what people call it, `folder` has the owner's own strategies.

    `name` is the one that ships which it is, or which it changes: it decides the account, as for a day. `compared` is
    how many sessions at the most are played at the other resolution, too.
    """

    label: str
    name: str
    config: StrategyConfig
    folder: str
    data: Data
    survey: Survey
    resolution: Resolution
    capital: Decimal
    compared: int = 0

    @property
    def account(self) -> str:
        """Say which account it trades, and by which rule what a cash account sells settles."""
        sessions = self.survey.sessions
        rule = "" if is_margin(mode_of(self.name)) else f" ({settlement.told(sessions[0], sessions[-1])})"
        return f"It trades {told(account_of(self.name), self.config.account.day_trade_rule)}{rule}."

    @property
    def ranked(self) -> tuple[str, ...]:
        """Say that a session's symbols are more than are looked at, and by what they are chosen; nothing where not."""
        symbols, most = len(self.survey.symbols), self.config.universe.scanned_max
        if symbols <= most:
            return ()
        how = "by the daily bars before it; the spread is not known and earns nothing"
        return (f"Of {count(symbols, 'symbol')} the first {most} of each session's rank are looked at, {how}.",)


@frozen
class Progress:
    """How far a task is: sessions played, the last of them, and what came of it so far."""

    done: int
    of: int
    day: date
    trades: int
    equity: Decimal


@frozen
class Fidelity:
    """What bars of a minute decide of sessions whose quotes are known: `missed` are signals that only quotes give.

    A signal is the same where symbol, session and slot of five minutes are. Percents are the returns on these sessions
    and no others: each session's equity at its end by that at its start, multiplied.
    """

    sessions: int
    shared: int
    missed: int
    added: int
    quotes_pct: Decimal
    bars_pct: Decimal

    @property
    def sentence(self) -> str:
        """Say it."""
        return (
            f"{count(self.sessions, 'session')} as quotes and as bars: {count(self.shared, 'signal')} "
            f"in both, {self.missed} missed by bars, {self.added} added by bars; {percent(self.quotes_pct)} on quotes, "
            f"{percent(self.bars_pct)} on bars"
        )


@frozen
class Outcome:
    """What a task came to."""

    label: str
    facts: Facts
    figures: Figures
    fidelity: Fidelity | None


@dataclass(slots=True)
class _Chain:
    """Days of one resolution, played one after another."""

    config: StrategyConfig
    strategies: tuple[Bound, ...]
    gathered: Gathered
    carried: Carried
    left_out: dict[tuple[str, str], list[date]] = field(default_factory=dict)
    grew: Decimal = Decimal(1)
    resolutions: Counter[Resolution] = field(default_factory=Counter)

    def play(self, day: Day) -> Played:
        """Play the next day; `grew` is then what its equity was multiplied with on it."""
        noted, marks = noting(day)
        before = self.gathered.equity
        fills = TickFills() if day.resolution is Resolution.TICK else BarFills()
        played = play(noted, self.carried, self.config, self.strategies, fills)
        for one in played.left_out:
            self.left_out.setdefault((one.name, one.why), []).append(day.session.day)
        self.carried = self.gathered.add(played, marks)
        self.grew = self.gathered.equity / before
        self.resolutions[day.resolution] += 1
        return played

    @property
    def without(self) -> tuple[str, ...]:
        """Say of each strategy that did what none may on how many sessions it was left out, and why."""
        return tuple(
            f"Strategy {name} was left out of {count(len(days), 'session')}, {days[0]} the first: {why}."
            for (name, why), days in self.left_out.items()
        )

    def unlike(self, resolution: Resolution) -> tuple[str, ...]:
        """Say how many sessions have no quotes where quotes were asked for; nothing where all have."""
        without = self.resolutions.total() - self.resolutions[resolution]
        if not without:
            return ()
        whole = count(self.resolutions.total(), "session")
        return (f"{without} of {whole} without quotes: played on {WORDS[_OTHER[resolution]]}.",)


class _Compared:
    """The same sessions at the other resolution, and what both decided."""

    def __init__(self, main: _Chain, other: _Chain, *, most: int) -> None:
        self._main, self._other, self._most = main, other, most
        self._days = self._shared = self._missed = self._added = 0
        self._grew = self._other_grew = Decimal(1)

    def play(self, chapter: Chapter, played: Played, resolution: Resolution) -> None:
        """Play a session that has quotes at the other resolution, too, and take what the main one made of it alone."""
        if chapter.ticks is None or self._days >= self._most:
            return
        bars = resolution is Resolution.MINUTE
        other = self._other.play(chapter.ticks if bars else chapter.minutes)
        quotes_gave, bars_gave = (_slots(one) for one in ((other, played) if bars else (played, other)))
        self._days += 1
        self._shared += len(quotes_gave & bars_gave)
        self._missed += len(quotes_gave - bars_gave)
        self._added += len(bars_gave - quotes_gave)
        self._grew *= self._main.grew
        self._other_grew *= self._other.grew

    def found(self, resolution: Resolution) -> Fidelity | None:
        """Give what was found, None where no session has quotes."""
        if not self._days:
            return None
        mine, others = ((grew - 1) * 100 for grew in (self._grew, self._other_grew))
        quotes_pct, bars_pct = (others, mine) if resolution is Resolution.MINUTE else (mine, others)
        return Fidelity(
            sessions=self._days, shared=self._shared, missed=self._missed, added=self._added, quotes_pct=quotes_pct,
            bars_pct=bars_pct,
        )  # fmt: skip


def run(task: Task, tell: Callable[[Progress], object]) -> Outcome:
    """Play a task's sessions, telling how far it is after each; raises UserError for a file that went bad."""
    sessions, resolution = task.survey.sessions, task.resolution
    strategies = tuple(map(shielded, bound(task.config, task.folder)))
    main, other = (_chain(task, strategies) for _ in range(2))
    compared = _Compared(main, other, most=task.compared)
    day: Day | None = None
    chapters = task.data.chapters(sessions[0], sessions[-1], task.survey.symbols)
    for number, chapter in enumerate(chapters, start=1):
        day = chapter.ticks if resolution is Resolution.TICK and chapter.ticks is not None else chapter.minutes
        played = main.play(day)
        compared.play(chapter, played, day.resolution)
        if not number % _FREED_EVERY:
            gc.collect()
        far = main.gathered
        tell(
            Progress(done=number, of=len(sessions), day=day.session.day, trades=len(far.trades), equity=far.equity)
        )  # fmt: skip
    if day is None:
        raise ValueError("nothing was played")
    return _outcome(task, main, day.source, compared.found(resolution))


def _chain(task: Task, strategies: tuple[Bound, ...]) -> _Chain:
    gathered = Gathered(task.capital, sessions=len(task.survey.sessions))
    first = Carried.first(task.capital, mode=mode_of(task.name))
    return _Chain(config=task.config, strategies=strategies, gathered=gathered, carried=first)


def _outcome(task: Task, main: _Chain, source: str, fidelity: Fidelity | None) -> Outcome:
    sessions, resolution = task.survey.sessions, task.resolution
    late = (f"Fees after {KNOWN_UNTIL} are those of that day.",) if sessions[-1] > KNOWN_UNTIL else ()
    there = (*task.survey.missing, *main.unlike(resolution), *main.without)
    said = (*task.data.said, task.account, *task.ranked, *there, *late)
    facts = main.gathered.facts(
        title=f"Back-test, {sessions[0]} to {sessions[-1]}", resolution=resolution, source=source,
        configuration=task.label, said=said, beside=() if fidelity is None else (_beside(fidelity, resolution),),
    )  # fmt: skip
    ends = task.survey.ends
    facts = replace(facts, trades=named(facts.trades, ends), equity=ended(facts.equity, ends))
    return Outcome(label=task.label, facts=facts, figures=figures(facts), fidelity=fidelity)


def _beside(fidelity: Fidelity, resolution: Resolution) -> Beside:
    other = _OTHER[resolution]
    gained = fidelity.bars_pct if other is Resolution.MINUTE else fidelity.quotes_pct
    return Beside(name=f"on {WORDS[other]}", note=fidelity.sentence, return_pct=round(gained, 2))


def _slots(played: Played) -> set[tuple[date, str, int]]:
    return {(one.session, one.symbol, one.slot) for one in played.signals}
