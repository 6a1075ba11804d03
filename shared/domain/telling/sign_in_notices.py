"""Notices of signing in: what is needed, what was begun, done, refused (see `notices`)."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.frozen import frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInNeeded:
    """Nobody can trade until the owner signs in; `occasion` names the reminder, such as `2026-11-23:08:30`.

    `signed` is the signed part of a link and nothing besides, for who sends a notice knows the page's address; it is
    empty where there is no page.
    """

    signed: str = field(repr=False)
    minutes_to_open: int
    occasion: str
    at: datetime


@frozen
class SignedIn:
    """There is a token, and it lives until `dies_at`."""

    dies_at: datetime
    at: datetime


@frozen
class SignInFailed:
    """The owner accepted at E*TRADE and no token could be kept; `why` is one of our own sentences."""

    why: str
    at: datetime


@frozen
class SignInRefused:
    """Somebody tried to sign in and was refused; `why` is one of our own sentences."""

    why: str
    at: datetime


@frozen
class AccountRefused:
    """Somebody signed in to another account than the pinned one; `endings` are the last digits of those they have."""

    endings: tuple[str, ...]
    at: datetime


@frozen
class LinkUsed:
    """A sign-in was begun with the link of this `link` number; with `refused` it had begun as often as a link may."""

    link: str
    made_at: datetime
    refused: bool
    at: datetime

    @property
    def event(self) -> str:
        """The link, and whether it was refused: each is told once."""
        return f"{self.link}:refused" if self.refused else self.link
