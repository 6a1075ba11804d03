"""Gather the daily bars of a session from the sources, in the order of the owner's setting.

What can go wrong: a source is down, slow, refuses us, has changed its form, knows nothing, or gives bars that cannot
be; all of them do, on a morning on which everything hangs on them. What this promises: what makes an answer unusable is
journalled and the next source is asked; one that fails three times in a row, or refuses, is left alone for this run;
what was stored from an earlier day stays until there is something better, with its age; the owner hears once a session
that every source outside fails, and once of each key that a source does not take. Slow sources cost several deliveries
of one message, and nothing of what was gathered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from shared.domain.base.calendar import TradingSession, new_york_day, session_at, session_before
from shared.domain.broker.tickets import SYMBOL
from shared.domain.market.series import Series, cut, merged, unbroken, unsound
from shared.domain.telling.barred import HistoryMissing, SourceKeyBad
from shared.errors import Busy, DeskError, Malformed, SourceError, SourceKeyRefused, SourceRefused, Unreadable
from shared.frozen import frozen
from shared.ports import Delete, HistorySource, Severity, Write
from shared.usecases.base.desk import Desk, put, read_sound
from shared.usecases.market import own_bars, ranking
from shared.usecases.market.warmth import Prepared, Warmth, prepared
from shared.usecases.telling.notices import announce

DAYS = 250
SPAN = timedelta(days=380)
"""The calendar days in which so many sessions lie, with some to spare."""
WORKS_FOR = timedelta(seconds=240)
"""After this a run ends and its message comes again: the function has 300 s."""
FAILURES = 3
RESTS_FOR = timedelta(minutes=15)
"""How long a source is left alone that refused and did not say for how long."""
MOST_SYMBOLS = 200
FILE = "file"
HERE = frozenset({"own", FILE})
"""The sources in our own store: they are asked each time, for that costs a reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the owner wants of history: `sources` in their order; `minutes_kept` is how long minute bars are kept.

    `doubt_pct` is from how many percent on a close that differs from the broker's is doubted. `skipped` are the sources
    that cannot be asked, each with why; `keys` is with which version of its key each source that has one is asked.
    """

    watch_list: tuple[str, ...]
    sources: tuple[HistorySource, ...]
    minutes_kept: timedelta
    doubt_pct: int
    skipped: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)


@frozen
class Gathered:
    """What the sources outside gave of one symbol, each source's latest usable answer; empty where it knew nothing."""

    answers: tuple[Series, ...]


@dataclass(slots=True)
class _Run:
    """One run under way: `out` are sources that are not asked any more, `failed` how often in a row each failed.

    `series` are what was gathered, `answered` the sources outside that did answer in this session, `why` is how each
    other one failed last, `asked` are the symbols for which one of them was asked, `refused` the sources that did not
    take their key.
    """

    plan: Plan
    session: TradingSession
    ends_at: datetime
    rest: dict[str, datetime]
    out: set[str]
    failed: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    why: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    series: dict[str, Series] = field(default_factory=dict)


def gather(desk: Desk, plan: Plan, *, asked: Sequence[str] = ()) -> None:
    """Make the daily bars of today's session for every watched symbol and those that are asked for.

    Raises Busy where the time did not suffice: the message is to come again. A day of rest needs nothing.
    """
    now = desk.clock.now()
    session = session_at(now)
    if session is None:
        return
    held = prepared(desk)
    first = Prepared(session=session.day, at=now, days={}, kept=session.day - own_bars.BACK)
    before = first if held is None else held.value
    kept = own_bars.keep(desk, since=before.kept, until=session.day)
    own_bars.correct(desk, session.day, limit_pct=plan.doubt_pct)
    rest = {name: at for name, at in before.rest.items() if at > now}
    run = _Run(plan=plan, session=session, ends_at=now + WORKS_FOR, rest=rest, out=set(rest))
    symbols = [*plan.watch_list, *(name for name in asked if SYMBOL.fullmatch(name))]
    left = []
    days: dict[str, int] = {}
    for symbol in list(dict.fromkeys(symbols))[:MOST_SYMBOLS]:
        if desk.clock.now() >= run.ends_at:
            left.append(symbol)
            continue
        days[symbol] = _symbol(desk, run, symbol)
    _conclude(desk, run, before, kept, days)
    own_bars.forget(desk, before=session.day - plan.minutes_kept)
    if not left:
        ranking.measure(desk, session, plan.watch_list, run.series)
    if left:
        raise Busy(f"the history of {len(left)} symbols is left for the next delivery")


def _symbol(desk: Desk, run: _Run, symbol: str) -> int:
    """Gather one symbol's bars, and give how many of them lead up to the session."""
    day = run.session.day
    start, path = day - SPAN, f"gathered/{symbol}"
    held = read_sound(desk, Gathered, path)
    stored = {} if held is None else {one.source: one for one in held.value.answers}
    answers, parts = dict(stored), list[Series]()
    for source in run.plan.sources:
        if _whole(parts, day):
            break
        known = stored.get(source.name)
        if known is not None and new_york_day(known.at) == day:
            run.answered.add(source.name)
        elif (answer := _ask(desk, run, source, symbol, start)) is not None:
            known = answer if answer.bars or known is None else known
            if source.name not in HERE:
                answers[source.name] = known
        parts += [] if known is None else [cut(known, start=start, before=day)]
    writes: list[Write] = [] if answers == stored else [put(path, Gathered(answers=tuple(answers.values())))]
    series = merged(parts) if parts else None
    if series is None or not series.bars:
        desk.store.commit([*writes, *_taken_back(desk, run, symbol)])
        return 0
    desk.store.commit([*writes, put(f"history/{symbol}", Warmth(session=day, series=series))])
    run.series[symbol] = series
    return len(unbroken(series.bars, before=day))


def _taken_back(desk: Desk, run: _Run, symbol: str) -> list[Write]:
    """Give the write that forgets bars of a file which its owner took out, where no source has any others now."""
    held = read_sound(desk, Warmth, f"history/{symbol}")
    if held is None or FILE not in held.value.series.source.split("+") or run.failed.get(FILE):
        return []
    return [Delete(held.path)] if any(source.name == FILE for source in run.plan.sources) else []


def _whole(parts: Sequence[Series], day: date) -> bool:
    """Tell whether nothing is missing: bars enough, none of the last days absent, no doubt that a split explains."""
    if not parts:
        return False
    series = merged(parts)
    bars = unbroken(series.bars, before=day)
    return len(bars) >= DAYS and bars[-1].day == session_before(day) and not series.unexplained


def _ask(desk: Desk, run: _Run, source: HistorySource, symbol: str, start: date) -> Series | None:
    """Ask one source; None where it gave nothing usable, a series without bars where it knows nothing."""
    now, name = desk.clock.now(), source.name
    if name in run.out:
        return None
    if name not in HERE:
        run.asked.add(symbol)
    try:
        found = source.daily(symbol, start=start, before=run.session.day)
        if found is not None and (wrong := unsound(found, before=run.session.day)) is not None:
            raise Unreadable(wrong)
    except (SourceError, Unreadable, Malformed) as problem:
        _failed(desk, run, name, symbol, problem)
        return None
    run.failed[name] = 0
    if name not in HERE:
        run.answered.add(name)
    if found is None:
        return Series(symbol=symbol, bars=(), source=name, made="", at=now)
    return replace(found, source=name)


def _failed(desk: Desk, run: _Run, name: str, symbol: str, problem: DeskError) -> None:
    """Write down that a source failed, and leave it alone where asking on is of no use."""
    kind = type(problem).__name__
    desk.journal.line("source_failed", Severity.WARNING, source=name, symbol=symbol, kind=kind, detail=problem.detail)
    run.failed[name] = run.failed.get(name, 0) + 1
    if name not in HERE:
        run.why[name] = problem.detail
    if isinstance(problem, SourceKeyRefused):
        run.refused.add(name)
    if isinstance(problem, SourceRefused):
        wait = RESTS_FOR if problem.wait_s is None else timedelta(seconds=problem.wait_s)
        run.rest[name] = desk.clock.now() + wait
    if run.failed[name] >= FAILURES or name in run.rest:
        run.out.add(name)


def _conclude(desk: Desk, run: _Run, before: Prepared, kept: date, days: dict[str, int]) -> None:
    """Write down how the work stands, and promise the owner's notices: no source has answered, a key is refused."""
    day, now = run.session.day, desk.clock.now()
    same = before.session == day
    days = (before.days if same else {}) | days
    writes: list[Write] = []
    told = same and before.told
    if run.why and not run.answered and not told:
        why = "; ".join(f"{name}: {detail}" for name, detail in run.why.items())
        known = sum(count > 0 for count in days.values())
        writes.append(announce(desk, HistoryMissing(why=why, known=known, asked=len(days), session=day, at=now)))
        told = True
    keys = run.plan.keys
    bad = {name: keys[name] for name in run.refused if name in keys}
    for name, version in bad.items():
        if before.refused.get(name) != version:
            writes.append(announce(desk, SourceKeyBad(source=name, version=version, at=now)))
    still = {name: key for name, key in before.refused.items() if keys.get(name) == key and name not in run.answered}
    after = Prepared(
        session=day, at=now, days=days, kept=kept, told=told, rest=run.rest, skipped=dict(run.plan.skipped),
        refused=still | bad,
    )  # fmt: skip
    desk.store.commit([*writes, put("prepared/history", after)])
    desk.journal.line("history", known=sum(count > 0 for count in days.values()), failed=",".join(run.why))
    desk.journal.line("cache", kind="history", asked=len(days), served=len(days) - len(run.asked))
