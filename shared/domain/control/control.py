"""The trading state: what the owner said, what functions restricted, and the stricter of both, which is in force.

The owner's word lies where no function may write. Functions, and the owner's halts beside their word, write into the
restrictions, which lie with the book: every commit that licenses a send checks that document. A restriction ends only
by a resume of the owner that knew of it.
"""

import re
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from shared.frozen import frozen


class TradingState(StrEnum):
    """ACTIVE trades; REDUCE_ONLY takes no entries; HALTED also cancels them (shared/README.md, Glossary)."""

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"

    @property
    def severity(self) -> int:
        """How strict it is: the stricter, the more."""
        return list(TradingState).index(self)


MOST_LATER = 10
_FIGURE = re.compile(r"\d[\d.,]*")


@frozen
class Control:
    """A trading state, who set it first, when and why; `epoch` counts changes.

    `later` are the reasons that came while it was in force, each behind who gave it, the last `MOST_LATER` of them.
    `lifts`, of the owner's word, is the epoch of the last restriction that a resume of theirs knew of. `asked`, of the
    restrictions, are the last halts that were asked for by link: each of them halts once, however often its message
    comes.
    """

    state: TradingState
    exits_too: bool
    epoch: int
    reason: str
    by: str
    at: datetime
    later: tuple[str, ...] = ()
    lifts: int = 0
    asked: tuple[str, ...] = ()
    schema_version: int = 1

    def once_more(self, *, by: str, reason: str, exits_too: bool = False) -> "Control":
        """Give the same state, which it stays since its first instant and for its first reason, with another one."""
        later = (*self.later, f"{by}: {reason}")[-MOST_LATER:]
        return replace(self, exits_too=self.exits_too or exits_too, epoch=self.epoch + 1, later=later)

    def knows(self, *, by: str, reason: str) -> bool:
        """Tell whether somebody gave this reason before, be it with other figures."""
        known = {_FIGURE.sub("", one) for one in (f"{self.by}: {self.reason}", *self.later)}
        return _FIGURE.sub("", f"{by}: {reason}") in known


def of_a_new_book(*, by: str, at: datetime) -> Control:
    """Give what is in force in an account book that was created just now."""
    return Control(
        state=TradingState.ACTIVE, exits_too=False, epoch=0, reason="new account book created", by=by, at=at
    )  # fmt: skip


def restricts(word: Control, restriction: Control) -> bool:
    """Tell whether a restriction is in force: no resume of the owner has known of it."""
    return restriction.state is not TradingState.ACTIVE and restriction.epoch > word.lifts


def in_force(word: Control, restriction: Control) -> Control:
    """Give what is in force: the stricter of the owner's word and a restriction, with the reasons of who is as strict.

    Of two that are as strict the earlier comes first. Only the owner's word blocks exits. Its epoch grows with each
    change of either.
    """
    epoch, exits_too = word.epoch + restriction.epoch, word.state is TradingState.HALTED and word.exits_too
    strictest, others = word, list[Control]()
    if restricts(word, restriction):
        both = sorted((word, restriction), key=lambda one: (-one.state.severity, one.at))
        strictest, others = both[0], [one for one in both[1:] if one.state is both[0].state]
    later = strictest.later
    for one in others:
        told = (f"{one.by}: {one.reason}", *one.later)
        later += tuple(reason for reason in told if reason not in (f"{strictest.by}: {strictest.reason}", *later))
    return replace(strictest, epoch=epoch, exits_too=exits_too, later=later[-MOST_LATER:])
