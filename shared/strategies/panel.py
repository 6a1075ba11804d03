"""The strategies that are asked in one session, and those that are left out of it.

What can go wrong: a strategy's file cannot be imported; a strategy raises, answers nonsense, asks for what does not
exist, or takes so long that other symbols wait. What this promises: it is named with what it did, asked no more in this
session, and the others go on with the same symbol at the same tick. What was left out is a record (`left`): who begins
with the record of a session is at the point where who made it is, and who follows a whole record (`follows`), as a
replay does, leaves each strategy out at the tick and the symbol where it was left out then, whatever it would do now.

Time is measured in live sessions alone: `cpu` gives this thread's seconds of CPU, None where time is simulated. Once in
a session a strategy may take longer than CPU_MOST, because the interpreter may clear its memory just then.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.control.config import StrategyConfig
from shared.domain.control.tables import Given
from shared.domain.orders.positions import Position
from shared.domain.orders.signals import Signal
from shared.domain.telling.left_out import LeftOut
from shared.errors import ConfigError
from shared.strategies import registry
from shared.strategies.decide import OF, Decision, decide, in_turn, is_open, signal_of
from shared.strategies.form import Bound, StrategyFault, asked, asked_to_leave, shortened
from shared.strategies.verdict import Reason, Verdict
from shared.strategies.view import View

CPU_MOST = 0.1
"""Seconds of CPU that a strategy may take for one symbol."""
Cpu = Callable[[], float]
Note = Callable[[str], object]
"""Notes the name of the strategy that is about to be asked, "" once it has answered."""


class Panel:
    """Who is asked; belongs to one invocation at a time."""

    def __init__(self, *, folder: str = "", cpu: Cpu | None = None, follows: Iterable[LeftOut] = ()) -> None:
        self.left: dict[str, LeftOut] = {}
        self._folder = folder
        self._cpu = cpu
        self._follows = {one.name: one for one in follows}
        self._named: Mapping[str, Given] | None = None
        self._names: tuple[str, ...] = ()
        self._bound: tuple[Bound, ...] = ()
        self._turns: tuple[tuple[Bound, ...], tuple[Bound, ...]] = ((), ())
        self._wrong: Mapping[str, tuple[str, ...]] = {}
        self._slow: set[str] = set()
        self._answers: dict[tuple[str, str], Verdict | StrategyFault] = {}

    @classmethod
    def of(cls, strategies: Iterable[Bound], config: StrategyConfig) -> "Panel":
        """Give a panel of strategies that are bound already, as those of a configuration."""
        panel = cls()
        panel._named, panel._bound = config.strategies, tuple(strategies)
        panel._names = tuple(one.name for one in panel._bound)
        return panel

    def begin(self, left: Iterable[LeftOut] = ()) -> None:
        """Begin a session anew, or go on where those were left out."""
        self.left = {one.name: one for one in left}
        self._slow = set()
        self._named = None

    def expect(self, config: StrategyConfig) -> None:
        """Know who will be asked by a configuration, as far as that is known before any file is run."""
        self._names = tuple(config.strategies)

    def strategies(self, config: StrategyConfig, at: datetime, note: Note | None = None) -> tuple[Bound, ...]:
        """Give who is asked by a configuration; whoever cannot be is left out from `at` on.

        The file of one who is left out already is not run.
        """
        if config.strategies is self._named:
            return self._bound
        self.expect(config)
        if config.strategies != self._named:
            try:
                self._bound, self._wrong = registry.usable(config, self._folder, but=self.left, note=note)
            except ConfigError as problem:
                self._bound, self._wrong = (), dict.fromkeys(config.strategies, problem.problems)
            for name, problems in self._wrong.items():
                self.leave_out(LeftOut(name=name, why=f"it cannot be used: {'; '.join(problems)}", at=at))
        self._named = config.strategies
        return self._bound

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of those who are asked."""
        return tuple(name for name in self._names if name not in self.left)

    def leave_out(self, one: LeftOut) -> None:
        """Ask a strategy no more in this session."""
        self.left.setdefault(one.name, replace(one, why=shortened(one.why)))
        self._bound = tuple(bound for bound in self._bound if bound.name != one.name)

    def follow(self, one: LeftOut) -> None:
        """Leave a strategy out at the tick and the symbol where it was left out then, whatever it would do now."""
        self._follows[one.name] = one

    def decide(self, view: View, config: StrategyConfig) -> Decision:
        """Give what is decided of a symbol by whoever can be asked."""
        while True:
            try:
                return decide(view, config, self.strategies(config, view.at), self._vote)
            except StrategyFault as fault:
                self.leave_out(LeftOut(name=fault.name, why=fault.why, at=view.at, about=view.symbol))

    def signal(self, view: View, config: StrategyConfig) -> Signal | None:
        """Give the signal that `decide` gives, None where it gives none: for whoever reads no reasons."""
        while True:
            used = self.strategies(config, view.at)
            if used is not self._turns[0]:
                self._turns = used, in_turn(used)
            try:
                return signal_of(view, config, self._turns[1], self._vote)
            except StrategyFault as fault:
                self.leave_out(LeftOut(name=fault.name, why=fault.why, at=view.at, about=view.symbol))

    def leaves(self, view: View, position: Position, config: StrategyConfig, note: Note | None = None) -> str:
        """Give the first reason of a strategy to sell what is held, as NAME:CODE, "" for none."""
        for bound in self.strategies(config, view.at):
            if bound.leave is None:
                continue
            try:
                if note is not None:
                    note(bound.name)
                reason = self._to_leave(bound, view, position)
            except StrategyFault as fault:
                self.leave_out(LeftOut(name=fault.name, why=fault.why, at=view.at, about=view.symbol))
                continue
            finally:
                if note is not None:
                    note("")
            if reason is not None:
                return f"{bound.name}{OF}{reason.code}"
        return ""

    def ask_in_turn(self, views: Iterable[View], config: StrategyConfig, note: Note) -> None:
        """Ask one strategy after the other about every symbol, its name noted before; `decide` takes the answers."""
        views = [view for view in views if is_open(view, config)]
        for bound in self.strategies(config, views[0].at) if views else ():
            note(bound.name)
            for view in views:
                try:
                    self._answers[bound.name, view.symbol] = self._asked(bound, view)
                except StrategyFault as fault:
                    self._answers[bound.name, view.symbol] = fault
                    break
        note("")

    def _vote(self, bound: Bound, view: View) -> Verdict:
        answer = self._answers.pop((bound.name, view.symbol), None) if self._answers else None
        if isinstance(answer, StrategyFault):
            raise answer
        return self._asked(bound, view) if answer is None else answer

    def _asked(self, bound: Bound, view: View) -> Verdict:
        if bound.name in self._follows:
            self._follow(bound, view)
        if self._cpu is None:
            return asked(bound, view)
        began = self._cpu()
        verdict = asked(bound, view)
        self._in_time(bound, self._cpu() - began)
        return verdict

    def _to_leave(self, bound: Bound, view: View, position: Position) -> Reason | None:
        if bound.name in self._follows:
            self._follow(bound, view)
        if self._cpu is None:
            return asked_to_leave(bound, view, position)
        began = self._cpu()
        reason = asked_to_leave(bound, view, position)
        self._in_time(bound, self._cpu() - began)
        return reason

    def _follow(self, bound: Bound, view: View) -> None:
        then = self._follows[bound.name]
        if view.at > then.at or (view.at == then.at and then.about in ("", view.symbol)):
            raise StrategyFault(bound.name, then.why)

    def _in_time(self, bound: Bound, took: float) -> None:
        if took <= CPU_MOST:
            return
        if bound.name in self._slow:
            most = f"{CPU_MOST * 1000:.0f} ms are the most"
            raise StrategyFault(bound.name, f"it took {took * 1000:.0f} ms of CPU for one symbol, of which {most}")
        self._slow.add(bound.name)
