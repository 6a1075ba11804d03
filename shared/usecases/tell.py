"""What the owner is told about signing in: rows that the commit which causes them writes, announced after it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.codec import encode
from shared.ports import Create, Severity
from shared.usecases.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInNeeded:
    """Nobody can trade until the owner signs in; `occasion` names the reminder, such as `2026-11-23:08:30`.

    `link` is empty where no address of the sign-in page is set.
    """

    link: str = field(repr=False)
    minutes_to_open: int
    occasion: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """There is a token, and it lives until `dies_at`."""

    dies_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFailed:
    """The owner accepted at E*TRADE and no token could be kept: the owner has to sign in again."""

    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused:
    """Somebody tried to sign in and was refused; `why` is one of our own sentences."""

    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEnded:
    """The day's token is ended; `left_open` names orders and positions that nobody looks after until the next one."""

    left_open: tuple[str, ...]
    at: datetime


Notice = SignInNeeded | SignedIn | SignInFailed | SignInRefused | TokenEnded


def told(desk: Desk, name: str, notice: Notice) -> Create:
    """Give the write of one notice; `name` is its event, which is told once."""
    return Create(f"notices/{desk.actor}:{name}", {"kind": type(notice).__name__, "body": encode(notice)})


def announce(desk: Desk, rows: Sequence[Create]) -> None:
    """Send committed notices on their way."""
    for row in rows:
        desk.journal.line("owner_told", Severity.WARNING, kind=row.data["kind"])
