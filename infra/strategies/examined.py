"""What a strategy does when it is asked on a generated day: run by `strategy check` in processes of its own.

What can go wrong: a strategy hangs, or takes all memory (the process has limits); it prints, or ends the process (what
was found so far is in a file); it opens a file, a connection or another program while it votes (Python's audit events
stop it there); it knows what is still to come; it answers otherwise when it is asked again, in another order, or by a
process that began later; it takes longer than a tick can spare. What this promises: each of these is a finding with
what to do. It is asked with the defaults of its parameters, on one made day: what it does on others is not seen here.
"""

import gc
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from infra.backtest.day import Day
from infra.backtest.look_ahead import Looked, ahead, cut_short, decisions
from infra.strategies import views
from shared.domain.base.calendar import NEW_YORK
from shared.domain.base.values import Venue
from shared.domain.control.config import StrategyConfig
from shared.domain.control.tables import strategies_of
from shared.domain.orders.positions import Position
from shared.domain.orders.signals import Vote
from shared.frozen import frozen
from shared.strategies import registry
from shared.strategies.config import load
from shared.strategies.form import Bound, StrategyFault, asked, asked_to_leave, bind
from shared.strategies.verdict import Reason, Verdict
from shared.strategies.view import View

T = TypeVar("T")
LIMIT_MS = 100
"""So much CPU a live session gives a strategy for one answer (`shared.strategies`)."""
CPU_S, MEMORY = 240, 4 * 2**30
_CUTS = 4
_STOPPED = {
    "open": "opened a file", "socket.": "used the network", "subprocess.": "started a program",
    "os.": "asked the operating system", "shutil.": "changed files", "urllib.": "used the network",
    "ctypes.": "called foreign code",
}  # fmt: skip
"""How Python's audit events begin that no vote may cause, and what the strategy did."""
_AGAIN = "it may use only its view and its parameters: no stored values, no random numbers, no clock"


@frozen
class Finding:
    """What a check found: which check, what the strategy did, and what to do."""

    check: str
    what: str
    remedy: str


@frozen
class Examined:
    """How often it was asked and voted, its CPU for one answer in milliseconds, and what was found."""

    asked: int
    votes: int
    p50_ms: float
    p99_ms: float
    longest_ms: float
    findings: tuple[Finding, ...]


class _Outside(Exception):
    """A strategy reached for something outside of the process while it voted."""


class _Slow(Exception):
    """A strategy took too long, twice."""


class _Guard:
    """Asks a strategy, with Python's audit events on guard and a clock for its own CPU."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.took: list[float] = []
        self._on, self._did = False, ""
        sys.addaudithook(self._audit)

    def guarded(self, bound: Bound) -> Bound:
        """Give the strategy as it is asked under guard."""
        return replace(bound, vote=lambda view, own: self._vote(replace(bound, parameters=own), view))

    def leaves(self, view: View, position: Position) -> Reason | None:
        """Ask the strategy whether to leave a position, under guard."""
        answer, _ = self._asked(lambda: asked_to_leave(self.bound, view, position), "was asked whether to leave")
        return answer

    def _vote(self, bound: Bound, view: View) -> Verdict:
        verdict, took = self._asked(lambda: asked(bound, view), "voted")
        self.took.append(took)
        return verdict

    def _asked(self, ask: Callable[[], T], when: str) -> tuple[T, float]:
        answer, took = self._timed(ask, when)
        if took > LIMIT_MS:  # once may be the machine's: asked again, it is the strategy's
            answer, again = self._timed(ask, when)
            if (took := min(took, again)) > LIMIT_MS:
                raise _Slow(f"one answer took {took:.0f} ms of CPU; the limit of a live session is {LIMIT_MS} ms")
        return answer, took

    def _timed(self, ask: Callable[[], T], when: str) -> tuple[T, float]:
        self._on, self._did = True, ""
        begins = time.thread_time()
        try:
            return ask(), (time.thread_time() - begins) * 1000
        finally:
            self._on = False
            if self._did:  # also where the strategy caught what stopped it
                raise _Outside(f"while it {when} it {self._did}")

    def _audit(self, event: str, _: tuple[object, ...]) -> None:
        did = next((what for begins, what in _STOPPED.items() if event.startswith(begins)), "") if self._on else ""
        if did:
            self._on, self._did = False, f"{did} ({event})"
            raise _Outside(did)


def examine(name: str, folder: str) -> Examined:
    """Ask a strategy on a generated day and give what was found; it is found by its name as the scan finds it."""
    config = _alone(name)
    used, wrong = registry.usable(config, folder)
    if wrong:
        return _nothing([Finding(check="form", what=one, remedy="correct it") for one in wrong[name]])
    guard = _Guard(used[0])
    bound = guard.guarded(used[0])
    try:
        whole = list(decisions(views.minutes(), config, (bound,)))
        findings = [*_again(whole, bound, config), *_later(name, folder, guard), *_leaves(guard)]
        if not any(
            one.check == "purity" for one in findings
        ):  # what answers otherwise when it is asked again would do so on data that are cut, too
            findings += _looks_ahead(whole, bound, config)
    except StrategyFault as fault:
        return _nothing([Finding(check="answers", what=fault.why, remedy="return a Vote or one of its REASONS")])
    except _Outside as outside:
        return _nothing([Finding(check="purity", what=str(outside), remedy=_AGAIN)])
    except _Slow as slow:
        return _nothing(
            [Finding(check="time", what=str(slow), remedy="use view.indicators, which are kept up to date")]
        )
    took = sorted(guard.took)
    votes = sum(isinstance(one.verdicts[0], Vote) for one in whole)
    return Examined(
        asked=len(whole), votes=votes, p50_ms=took[len(took) // 2], p99_ms=took[len(took) * 99 // 100],
        longest_ms=took[-1], findings=tuple(findings),
    )  # fmt: skip


def _alone(name: str) -> StrategyConfig:
    """Give the demonstration's configuration with this strategy alone, whose vote is enough."""
    demo = load("demo")
    return replace(demo, strategies=strategies_of({name: {}}), signals=replace(demo.signals, min_votes=1))


def _nothing(findings: Sequence[Finding]) -> Examined:
    return Examined(asked=0, votes=0, p50_ms=0, p99_ms=0, longest_ms=0, findings=tuple(findings))


def _again(whole: Sequence[Looked], bound: Bound, config: StrategyConfig) -> Iterator[Finding]:
    """Ask all of it a second time, the symbols in the opposite order."""
    day = views.minutes()
    turned = replace(day, symbols=tuple(reversed(day.symbols)))
    first = {(one.at, one.symbol): one.verdicts for one in whole}
    for one in decisions(turned, config, (bound,)):
        if first.get((one.at, one.symbol)) != one.verdicts:
            what = f"asked again of {one.symbol} at {_clock(one.at)}, it gave another answer"
            yield Finding(check="purity", what=what, remedy=_AGAIN)
            return


def _later(name: str, folder: str, guard: _Guard) -> Iterator[Finding]:
    """Ask a copy of the file that runs from noon on only, as a process does that began then."""
    young, old = guard.guarded(_anew(name, folder)), guard.guarded(guard.bound)
    day = views.minutes()
    noon = day.session.opens_at + (day.session.closes_at - day.session.opens_at) / 2
    for view in views.views():
        earlier = old.vote(view, old.parameters)
        if view.at >= noon and earlier != young.vote(view, young.parameters):
            what = f"a process that began at noon gives another answer about {view.symbol} at {_clock(view.at)}"
            yield Finding(check="purity", what=what, remedy=_AGAIN)
            return


def _anew(name: str, folder: str) -> Bound:
    """Run a strategy's file once more, so that it remembers nothing."""
    path = registry.found(folder)[name]
    module = ModuleType(f"examined_strategies.{name}")
    sys.modules[module.__name__] = module
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)  # noqa: S102
    return bind(name, module, {})


def _leaves(guard: _Guard) -> Iterator[Finding]:
    """Ask for its reasons to leave, twice, for a position that each symbol has since the morning."""
    held: dict[str, Position] = {}
    for view in views.views() if guard.bound.leave is not None else ():
        position = held.setdefault(view.symbol, _position(view))
        try:
            first, second = (guard.leaves(view, position) for _ in range(2))
        except StrategyFault as fault:
            remedy = "return one of its REASONS, or None, from leave"
            yield Finding(check="answers", what=f"asked whether to leave {view.symbol}, {fault.why}", remedy=remedy)
            return
        if first != second:
            what = f"asked again whether to leave {view.symbol} at {_clock(view.at)}, it gave another answer"
            yield Finding(check="purity", what=what, remedy=_AGAIN)
            return


def _position(view: View) -> Position:
    price = view.quote.last
    return Position(
        position_id=f"{view.symbol}-1", symbol=view.symbol, venue=Venue.PAPER, strategy="check",
        session=view.session.day, quantity=10, average_cost=price, opened_at=view.at, stop_distance=price / 100,
        spread_paid=Decimal("0.01"), stop_wanted=price * 99 / 100, stop_set_at=view.at,
    )  # fmt: skip


def _looks_ahead(whole: Sequence[Looked], bound: Bound, config: StrategyConfig) -> Iterator[Finding]:
    """Cut the data at instants that chance draws, and compare what is decided up to there."""
    draw = random.Random(views.SEED)
    day, early = views.minutes(), views.seconds()
    cuts: list[tuple[Day, Sequence[Looked], datetime]] = [
        (day, whole, day.session.opens_at + timedelta(minutes=draw.randint(1, 389))) for _ in range(_CUTS)
    ]
    quick = list(decisions(early, config, (bound,)))
    cuts.append((early, quick, early.session.opens_at + timedelta(seconds=draw.randint(1, 1000))))
    for data, all_of_it, cut in cuts:
        found = ahead(all_of_it, cut_short(data, cut), cut, config, (bound,))
        if found is not None:
            decision = f"its decision about {found.whole.symbol} at {_clock(found.whole.at)}"
            what = f"{decision} used data from after {_clock(cut)}"
            yield Finding(check="look-ahead", what=what, remedy=_AGAIN)
            return


def _clock(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%H:%M:%S} New York"


def answers(name: str, folder: str) -> Iterator[tuple[str, str]]:
    """Give when a strategy is asked of what on the generated day, and its vote and reason to leave in one text."""
    (bound,) = registry.bound(_alone(name), folder)
    held: dict[str, Position] = {}
    for view in views.views():
        position = held.setdefault(view.symbol, _position(view))
        try:
            answer = repr((asked(bound, view), asked_to_leave(bound, view, position)))
        except StrategyFault as fault:
            answer = fault.why
        yield f"asked of {view.symbol} at {_clock(view.at)}", answer


def main(what: str, name: str, folder: str, out: str) -> None:
    """Within limits of CPU and memory write to a file what an examination found, or what a strategy answers."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    gc.disable()  # what is collected is the check's own, and is no time of the strategy
    said = list(answers(name, folder)) if what == "answers" else asdict(examine(name, folder))
    Path(out).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:5])
