"""Ask the strategies about what a tick saw: after everything that is held was judged by our own rules.

What can go wrong: a strategy does what none may, which its panel answers (`strategies.panel`); the store does not take
the record of who was left out; the process dies or hangs while a strategy is asked, and again in the minute after. What
this promises: who is left out is in the store in one commit with the owner's notice, as soon as the store takes it, and
who begins cold reads it. After a minute that died, the next one notes in its own document which strategy it is about to
ask (`Minute.asks`): one during which that minute dies, too, is left out by the one after. One death is no proof, for
machines die as well, and a note at each question of each second would be as many writes: so only such a minute pays for
it, and a strategy that kills costs two minutes, of which each judged what is held before it died. One that hangs keeps
its instances until the platform ends them (`topology`, `timeout_s`), and nobody takes the minutes until then: what
counts is the last one that somebody took (`minutes.died`). To run its file counts as asking it, for a file may do when
it is run whatever a vote may.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from shared.domain.market.quality import Sound
from shared.domain.market.receipts import said
from shared.domain.orders.signals import Signal
from shared.domain.telling.left_out import LeftOut, SessionLeftOut, StrategyLeftOut, path_of
from shared.domain.telling.messages import EnterPosition
from shared.errors import BrokerError, Conflict, DeskError, StoreError
from shared.ports import Create, Severity
from shared.strategies.decide import DIFFER, SIGNAL
from shared.strategies.panel import Note
from shared.strategies.verdict import Reason
from shared.strategies.view import View
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk, create, put, read_sound, replaced
from shared.usecases.base.trading import TradingDesk
from shared.usecases.market.minutes import Minute
from shared.usecases.scanning.hold import leave_for
from shared.usecases.scanning.scan_memory import ScanMemory
from shared.usecases.scanning.scanned import Scanned, Verdict
from shared.usecases.telling.notices import announce

DIED = "the minute in which it was asked died, and so had the one before"


def ask(
    desk: TradingDesk, memory: ScanMemory, minute: Scanned, views: Sequence[View], *, at: datetime
) -> Mapping[str, Verdict]:
    """Give the verdict on each symbol: reasons to leave what is held first, then the votes on what is not.

    A held symbol without a reason to leave is not in it. Files of strategies are run here at first, so that not even
    they keep what is held from being judged.
    """
    held = [view for view in views if view.symbol in minute.held]
    others = [view for view in views if view.symbol not in minute.held]
    found = dict[str, Verdict]()
    note = _note(desk, minute)
    try:
        memory.panel.strategies(desk.config, at, note)
        memory.asks(desk, at)
        for view in held:
            if (code := _leave(desk, memory, minute, view, note)) is not None:
                found[view.symbol] = code
        if note is not None:
            memory.panel.ask_in_turn(others, desk.config, note)
    except (BrokerError, StoreError) as problem:
        stumble(desk, problem)
        minute.owing = True
        return found | {view.symbol: type(problem).__name__ for view in others}
    for view in others:
        try:
            found[view.symbol] = _decide(desk, memory, minute, view)
        except (BrokerError, StoreError) as problem:
            stumble(desk, problem)
            minute.owing = True
            found[view.symbol] = type(problem).__name__
    return found


def keep(desk: TradingDesk, memory: ScanMemory, session: date) -> None:
    """Write down who was left out since the last time, with what the owner is told; later, where the store fails."""
    new = [one for name, one in memory.panel.left.items() if name not in memory.told]
    if not new:
        return
    try:
        before = read_sound(desk, SessionLeftOut, path_of(session))
        there = () if before is None else before.value.strategies
        new = [one for one in new if one.name not in {other.name for other in there}]
        after = SessionLeftOut(session=session, strategies=(*there, *new))
        told = [announce(desk, StrategyLeftOut(left=one, session=session, at=one.at)) for one in new]
        desk.store.commit([replaced(path_of(session), before, after), *told])
    except StoreError as problem:
        stumble(desk, problem)
        return
    for one in new:
        desk.journal.line("strategy_left_out", Severity.WARNING, strategy=one.name, about=one.about, why=one.why)
    memory.told |= set(memory.panel.left)


def begin(desk: TradingDesk, memory: ScanMemory, minute: Scanned, died: Minute | None) -> None:
    """Begin a minute with whom its session left out so far, and whom the minute before was asking when it died.

    Where that died, every question of this one is noted. Raises StoreDown.
    """
    if not memory.is_of(minute.session, minute.begins):
        held = read_sound(desk, SessionLeftOut, path_of(minute.session.day))
        left = () if held is None else held.value.strategies
        memory.panel.begin(left)
        memory.told = {one.name for one in left}
    minute.suspects = died is not None
    if died is not None and died.asks:
        memory.panel.leave_out(LeftOut(name=died.asks, why=DIED, at=minute.begins))
    memory.panel.expect(desk.config)


def stumble(desk: TradingDesk, problem: DeskError) -> None:
    """Write down that something could not be done now."""
    desk.journal.line("scan_stumbled", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)


def _note(desk: TradingDesk, minute: Scanned) -> Note | None:
    """Give how to note whom is asked, in the minute's document; None where nothing is noted, or nobody holds it."""
    lease = minute.lease
    if lease is None or not minute.suspects:
        return None
    return lambda name: desk.store.commit([put(lease.path, replace(lease.value, asks=name))])


def _leave(desk: TradingDesk, memory: ScanMemory, minute: Scanned, view: View, note: Note | None) -> str | None:
    """Sell what is held for a strategy's reason; None where there is none."""
    held, watched = minute.held[view.symbol], memory.held.get(view.symbol)
    reason = memory.panel.leaves(view, held.value, desk.config, note)
    if not reason or watched is None:
        return None
    code, after = leave_for(desk, held.value, watched, view.quote, reason=reason, at=view.at)
    memory.hold(view.symbol, after)
    return code


def _decide(desk: TradingDesk, memory: ScanMemory, minute: Scanned, view: View) -> Verdict:
    decision = memory.panel.decide(view, desk.config)
    if not isinstance(decision, Signal):
        _differs(memory, minute, view.symbol, decision.reasons)
        return decision.reasons
    if decision.signal_id not in memory.signalled:
        _signal(desk, memory, replace(decision, config_number=desk.config_number), view.quote)
        memory.signalled.add(decision.signal_id)
    return f"{SIGNAL}{decision.signal_id}"


def _differs(memory: ScanMemory, minute: Scanned, symbol: str, reasons: tuple[Reason, ...]) -> None:
    """Remember both closes of a symbol whose sources disagree, once a session, for the minute's end to tell."""
    found = next((one for one in reasons if one.code == DIFFER.code), None)
    if found is not None and symbol not in memory.differ:
        memory.differ.add(symbol)
        minute.differ[symbol] = f"{symbol} {said(found.found)}, {found.asked} is asked"


def _signal(desk: TradingDesk, memory: ScanMemory, signal: Signal, quote: Sound) -> None:
    if (row := stored(desk, signal, quote)) is None:
        return
    memory.record.signalled(desk, signal)
    desk.journal.line("signal", signal_id=signal.signal_id, symbol=signal.symbol, strategy=signal.strategy)
    outbox.publish(desk, row)


def stored(desk: Desk, signal: Signal, quote: Sound) -> Create | None:
    """Store a signal with the quote that it rests on, and promise it to the order function; once per slot.

    Gives the promise, which is to be published; None where the signal is there.
    """
    row = outbox.promise(
        desk, name=signal.signal_id, topic="signals", key=signal.symbol, message=EnterPosition(signal=signal)
    )
    path = f"signals/{signal.signal_id}"
    try:
        desk.store.commit([create(path, signal), put(f"quotes/{signal.symbol}", quote), row])
    except Conflict:
        return None
    return row
