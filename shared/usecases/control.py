"""The trading state: read before every decision, changed by compare-and-set only."""

from contextlib import suppress
from dataclasses import replace

from shared.domain.control import MOST_LATER, Control, TradingState
from shared.domain.messages import HaltAsked
from shared.domain.notices import of_control
from shared.errors import Conflict, Malformed
from shared.ports import Severity
from shared.usecases.desk import Desk, Held, create, persist, read
from shared.usecases.notices import announce

PATH = "control/main"
BY_LINK = "halted by link"
_ASKS_KEPT = 100
"""More than come while the bus still brings one of them again."""
_SEVERITY = {TradingState.ACTIVE: 0, TradingState.REDUCE_ONLY: 1, TradingState.HALTED: 2}


def current(desk: Desk) -> Held[Control]:
    """Read the trading state; the first reader of a new book writes ACTIVE."""
    held = read(desk.store, Control, PATH)
    if held is not None:
        return held
    first = Control(
        state=TradingState.ACTIVE,
        exits_too=False,
        epoch=0,
        reason="a new book",
        by=desk.actor,
        at=desk.clock.now(),
    )
    try:
        return Held(path=PATH, value=first, version=desk.store.commit([create(PATH, first)])[0])
    except Conflict:
        held = read(desk.store, Control, PATH)
        if held is None:
            raise
        return held


def exits_blocked(desk: Desk) -> bool:
    """Tell whether the owner's halt names exits too: then stops stay where they are and nothing else sells."""
    held = read(desk.store, Control, PATH)
    return held is not None and held.value.state is TradingState.HALTED and held.value.exits_too


def command(
    desk: Desk, to: TradingState, *, exits_too: bool = False, loosen: bool = False, reason: str, ask: str = ""
) -> Control:
    """Set the trading state by the owner's hand and give what is in force; what is stricter stays, unless to `loosen`.

    What is in force already keeps its first reason and instant, and the new reason stands behind it. Only a halt blocks
    exits too. Every commit that licenses a send checks this document: what was licensed before goes out, nothing after
    it does. To loosen is to know what is loosened: raises Conflict when the state changed meanwhile, while a stricter
    one is written over whatever was there, and a halt even over what cannot be read. `ask` names a halt that was asked
    for by link, and is written down with it.
    """

    def attempt() -> Control:
        held = _known(desk, to)
        if ask in held.value.asked:
            return held.value
        held = replace(held, value=replace(held.value, asked=_with(held.value.asked, ask)))
        if _SEVERITY[to] < _SEVERITY[held.value.state]:
            if not loosen:
                return held.value
            if held.value.epoch != seen.value.epoch:
                raise Conflict(f"it became {held.value.state} meanwhile, by {held.value.by}: {held.value.reason}")
        if to is held.value.state and not loosen:
            return _once_more(desk, held, reason, exits_too=exits_too and to is TradingState.HALTED)
        value = Control(
            state=to, exits_too=exits_too and to is TradingState.HALTED, epoch=held.value.epoch + 1, reason=reason,
            by=desk.actor, at=desk.clock.now(), asked=held.value.asked,
        )  # fmt: skip
        desk.store.commit([held.update(value), announce(desk, of_control(value))])
        return value

    seen = _known(desk, to)
    value = persist(attempt)
    if value.state is to:
        desk.journal.line("trading_state", Severity.CRITICAL, state=to, exits_too=value.exits_too, reason=reason)
    return value


def halt_by_link(desk: Desk, asked: HaltAsked) -> None:
    """Halt as the owner asked on the page of a signed link, once, however often and late the message comes.

    What is halted stays as it is, and is told no second time; that this was asked for is written down all the same, so
    that it does not halt again what the owner has resumed since. A state that cannot be read is written over, as by any
    halt of the owner's.
    """

    def attempt() -> bool:
        held = current(desk)
        if asked.name in held.value.asked:
            return True
        if held.value.state is not TradingState.HALTED:
            return False
        desk.store.commit([held.update(replace(held.value, asked=_with(held.value.asked, asked.name)))])
        return True

    with suppress(Malformed):
        if persist(attempt):
            desk.journal.line("halt_by_link_again", ask=asked.name)
            return
    command(desk, TradingState.HALTED, reason=BY_LINK, ask=asked.name)


def _with(asked: tuple[str, ...], ask: str) -> tuple[str, ...]:
    return (*asked, ask)[-_ASKS_KEPT:] if ask else asked


def _known(desk: Desk, to: TradingState) -> Held[Control]:
    """Give the state in force; a halt takes one that cannot be read for ACTIVE, with an epoch above any other."""
    try:
        return current(desk)
    except Malformed as problem:
        document, now = desk.store.get(PATH), desk.clock.now()
        if to is not TradingState.HALTED or document is None:
            raise
        epoch = int(now.timestamp())
        lost = Control(
            state=TradingState.ACTIVE, exits_too=False, epoch=epoch, reason=problem.detail, by=desk.actor, at=now
        )  # fmt: skip
        return Held(path=PATH, value=lost, version=document.version)


def tighten(desk: Desk, to: TradingState, *, reason: str) -> bool:
    """Go to a stricter trading state; a state as strict or stricter stays. Gives whether anything changed.

    A reason that nobody gave yet for the state in force is kept behind the first one and told; what is said again and
    again is said once, whatever its figures, and nothing more once so many are kept: no poll makes a flood of notices.
    """

    def attempt() -> bool:
        held = current(desk)
        known = held.value.knows(by=desk.actor, reason=reason) or len(held.value.later) >= MOST_LATER
        if held.value.state is to and not known:
            _once_more(desk, held, reason)
            return True
        if _SEVERITY[held.value.state] >= _SEVERITY[to]:
            return False
        epoch = held.value.epoch + 1
        now = desk.clock.now()
        next_ = replace(held.value, state=to, epoch=epoch, reason=reason, by=desk.actor, at=now, later=())
        desk.store.commit([held.update(next_), announce(desk, of_control(next_))])
        return True

    changed = persist(attempt)
    if changed:
        desk.journal.line("trading_state", Severity.CRITICAL, state=to, reason=reason)
    return changed


def _once_more(desk: Desk, held: Held[Control], reason: str, *, exits_too: bool = False) -> Control:
    """Keep the state in force with its first reason and instant, write the new reason behind it, and tell it."""
    value = held.value.once_more(by=desk.actor, reason=reason, exits_too=exits_too)
    said = replace(value, by=desk.actor, reason=reason, at=desk.clock.now())
    desk.store.commit([held.update(value), announce(desk, of_control(said))])
    return value
