"""The trading state: read before every decision; the owner's word and the restrictions are changed by compare-and-set.

What can go wrong: a function that was taken over, or has a bug, lifts the owner's halt; an order is licensed while the
owner halts; the two documents of a halt lie in two databases, and the command dies between them; a resume lifts what
its owner never saw. What this promises: the owner's word (`control/main`) lies in a database that no function may
write, and what is in force is never looser than it. A halt writes the word first, then the restrictions; every commit
that licenses a send read both and checks that the restrictions did not change. So whoever read the word before it was
written is refused by the check, unless its commit came before the command's second one, which is before the command
says that trading is halted; and a command that died between the two leaves a word that all later licences read. A
resume names the last restriction that it knew of: what a function restricted meanwhile stays in force. A state that
cannot be read licenses no entry. An exit needs one of the two: only the word blocks exits, and a halt that names them
is noted in the restrictions too. So shares can be sold while the owner's database is away, or while one of the two was
written by another version. What that costs without the word: an exit may be blocked by a halt that was resumed, and is
not by one whose command died before its second commit. Restrictions that cannot be read are as strict as HALTED, and
whoever restricts writes them anew as that.
"""

from dataclasses import replace
from datetime import UTC, datetime

from shared.domain.control.control import MOST_LATER, Control, TradingState, in_force, of_a_new_book, restricts
from shared.domain.telling.messages import HaltAsked
from shared.domain.telling.notices import of_control
from shared.errors import Conflict, Malformed, StoreDown
from shared.frozen import frozen
from shared.ports import Put, Severity, Store
from shared.usecases.base.desk import Desk, Held, create, persist, read, replaced
from shared.usecases.telling.notices import announce

WORD = "control/main"
PATH = "restrictions/main"
BY_LINK = "halted by link"
NOBODY = "nobody"
"""Whose word counts while the owner has said nothing."""
_ASKS_KEPT = 100
"""More than come while the bus still brings one of them again."""
_SILENCE = Control(
    state=TradingState.ACTIVE, exits_too=False, epoch=0, reason="nothing was said", by=NOBODY,
    at=datetime.fromtimestamp(0, UTC),
)  # fmt: skip
"""The word of an owner who never halted."""


def current(desk: Desk) -> Held[Control]:
    """Give what is in force, at the version of the restrictions; the first reader of a new book writes them."""
    held = _restriction(desk)
    return replace(held, value=in_force(_word(desk.store), held.value))


def standing(store: Store) -> Control | None:
    """Give what is in force, to look at; None where nobody has said anything yet. Raises Malformed, StoreDown."""
    word, held = read(store, Control, WORD), read(store, Control, PATH)
    if word is None and held is None:
        return None
    return in_force(_SILENCE if word is None else word.value, _SILENCE if held is None else held.value)


def for_exits(desk: Desk) -> Held[Control]:
    """Give what is in force as far as an exit has to know, from the word, from the restrictions, or from both.

    Raises Malformed where neither can be read.
    """
    word = _word_or_none(desk)
    if word is None:
        return _restriction(desk)
    held = _restriction_or_lost(desk)
    return replace(held, value=in_force(word, held.value))


def exits_blocked(desk: Desk) -> bool:
    """Tell whether the owner's halt names exits too: then stops stay where they are and nothing else sells."""
    now = _word_or_none(desk)
    if now is None:
        held = read(desk.store, Control, PATH)
        now = _SILENCE if held is None else held.value
    return now.state is TradingState.HALTED and now.exits_too


def _word_or_none(desk: Desk) -> Control | None:
    try:
        return _word(desk.store)
    except (StoreDown, Malformed) as problem:
        desk.journal.line("word_unread", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
        return None


def _word(store: Store) -> Control:
    held = read(store, Control, WORD)
    return _SILENCE if held is None else held.value


def _restriction(desk: Desk) -> Held[Control]:
    held = read(desk.store, Control, PATH)
    if held is not None:
        return held
    first = of_a_new_book(by=desk.actor, at=desk.clock.now())
    try:
        return Held(path=PATH, value=first, version=desk.store.commit([create(PATH, first)])[0])
    except Conflict:
        held = read(desk.store, Control, PATH)
        if held is None:
            raise
        return held


@frozen
class _Known:
    """Both documents as the owner's command found them."""

    word: Held[Control] | None
    restriction: Held[Control]

    @property
    def said(self) -> Control:
        return _SILENCE if self.word is None else self.word.value

    @property
    def in_force(self) -> Control:
        return in_force(self.said, self.restriction.value)


def command(
    desk: Desk, to: TradingState, *, exits_too: bool = False, loosen: bool = False, reason: str
) -> Control:  # fmt: skip
    """Set the trading state by the owner's hand and give what is in force; what is stricter stays, unless to `loosen`.

    What is in force already keeps its first reason and instant, and the new reason stands behind it. Only a halt blocks
    exits too. What was licensed before this returns may go out, nothing after it does. To loosen is to know what is
    loosened: raises Conflict when the state changed meanwhile, while a stricter one is written over whatever was there,
    and a halt even over what cannot be read.
    """

    def attempt() -> Control:
        known = _known(desk, to)
        now, exits = known.in_force, exits_too and to is TradingState.HALTED
        if to.severity < now.state.severity and not loosen:
            return now
        if loosen and now.epoch != seen.in_force.epoch:
            raise _changed(now)
        word = _next(desk, known.said, to, reason, exits_too=exits, anew=loosen)
        if loosen:
            word = replace(word, lifts=known.restriction.value.epoch)
        desk.store.commit([replaced(WORD, known.word, word)])
        return word

    seen = _known(desk, to)
    word = persist(attempt)
    if word.state is to:
        desk.journal.line("trading_state", Severity.CRITICAL, state=to, exits_too=word.exits_too, reason=reason)
        persist(lambda: _restrict_too(desk, to, reason))
    now = _known(desk, to).in_force
    if loosen and now.state.severity > to.severity:
        raise _changed(now)
    return now


def _changed(now: Control) -> Conflict:
    return Conflict(f"it became {now.state} meanwhile, by {now.by}: {now.reason}")


def _restrict_too(desk: Desk, to: TradingState, reason: str) -> None:
    """Let no commit go through that rests on the state of before, and promise the notice of what the owner said."""
    known = _known(desk, to)
    held, said = known.restriction, replace(known.said, by=desk.actor, reason=reason, at=desk.clock.now())
    exits_too = said.exits_too and to is TradingState.HALTED
    if to is TradingState.ACTIVE:
        desk.store.commit([_told(desk, said, known.said, held.value)])
        return
    base = _base(known.said, held.value)
    # Who restricted more meanwhile is not overwritten; its epoch grows, so that no licence rests on what was before.
    value = _next(desk, base, max(base.state, to, key=lambda one: one.severity), reason, exits_too=exits_too)
    desk.store.commit([held.update(value), _told(desk, said, known.said, value)])


def _told(desk: Desk, said: Control, word: Control, restriction: Control) -> Put:
    """Promise the notice of a change, under the epoch of what is then in force."""
    return announce(desk, of_control(replace(said, epoch=in_force(word, restriction).epoch)))


def _next(
    desk: Desk, before: Control, to: TradingState, reason: str, *, exits_too: bool = False, anew: bool = False
) -> Control:  # fmt: skip
    """Give a document of the trading state after a change; what stays as it is keeps its first reason and instant."""
    if to is before.state and not anew:
        return before.once_more(by=desk.actor, reason=reason, exits_too=exits_too)
    return replace(
        before, state=to, exits_too=exits_too, epoch=before.epoch + 1, reason=reason, by=desk.actor,
        at=desk.clock.now(), later=(),
    )  # fmt: skip


def _base(word: Control, restriction: Control) -> Control:
    """Give the restrictions to go on from: one that was lifted is none, and its successor's epoch is above `lifts`."""
    if restricts(word, restriction):
        return restriction
    return replace(restriction, state=TradingState.ACTIVE, epoch=max(restriction.epoch, word.lifts))


def halt_by_link(desk: Desk, asked: HaltAsked) -> None:
    """Halt as the owner asked on the page of a signed link, once, however often and late the message comes.

    What is halted stays as it is, and is told no second time; that this was asked for is written down all the same, so
    that it does not halt again what the owner has resumed since. Restrictions that cannot be read are written over, as
    by any halt of the owner's.
    """

    def attempt() -> bool:
        held, word = _restriction_or_lost(desk), _word(desk.store)
        if asked.name in held.value.asked:
            desk.journal.line("halt_by_link_again", ask=asked.name)
            return False
        halted = in_force(word, held.value).state is TradingState.HALTED
        # Also where a halt is in force: a resume that does not know of this tap leaves it in force.
        value = _next(desk, _base(word, held.value), TradingState.HALTED, BY_LINK)
        value = replace(value, asked=(*value.asked, asked.name)[-_ASKS_KEPT:])
        told = [] if halted else [_told(desk, value, word, value)]
        desk.store.commit([held.update(value), *told])
        return not halted

    if persist(attempt):
        desk.journal.line("trading_state", Severity.CRITICAL, state=TradingState.HALTED, reason=BY_LINK)


def _known(desk: Desk, to: TradingState) -> _Known:
    """Read both documents; a halt takes one that cannot be read for ACTIVE, with an epoch above any other."""
    if to is not TradingState.HALTED:
        return _Known(word=read(desk.store, Control, WORD), restriction=_restriction(desk))
    try:
        word = read(desk.store, Control, WORD)
    except Malformed as problem:
        word = _lost(desk, WORD, problem)
    return _Known(word=word, restriction=_restriction_or_lost(desk))


def _restriction_or_lost(desk: Desk) -> Held[Control]:
    try:
        return _restriction(desk)
    except Malformed as problem:
        return _lost(desk, PATH, problem)


def _lost(desk: Desk, path: str, problem: Malformed) -> Held[Control]:
    """Give what stands for a document that cannot be read; raises `problem` when it is gone by now."""
    document, now = desk.store.get(path), desk.clock.now()
    if document is None:
        raise problem
    value = Control(
        state=TradingState.ACTIVE, exits_too=False, epoch=int(now.timestamp()), reason=problem.detail, by=desk.actor,
        at=now,
    )  # fmt: skip
    return Held(path=path, value=value, version=document.version)


def tighten(desk: Desk, to: TradingState, *, reason: str) -> bool:
    """Go to a stricter trading state; a state as strict or stricter stays. Gives whether anything changed.

    A reason that nobody gave yet for the state in force is kept behind the first one and told; what is said again and
    again is said once, whatever its figures, and nothing more once so many are kept: no poll makes a flood of notices.
    """

    def attempt() -> bool:
        wanted, word = to, _word(desk.store)
        try:
            held = _restriction(desk)
        except Malformed as problem:
            held, wanted = _lost(desk, PATH, problem), TradingState.HALTED
        now = in_force(word, held.value)
        known = now.knows(by=desk.actor, reason=reason) or len(now.later) >= MOST_LATER
        if now.state.severity > wanted.severity or (now.state is wanted and known):
            return False
        value = _next(desk, _base(word, held.value), wanted, reason)
        said = replace(value, by=desk.actor, reason=reason, at=desk.clock.now())
        desk.store.commit([held.update(value), _told(desk, said, word, value)])
        return True

    changed = persist(attempt)
    if changed:
        desk.journal.line("trading_state", Severity.CRITICAL, state=to, reason=reason)
    return changed
