"""The access token's life: fresh, ageing, asleep after two hours, dead at midnight New York (etrade-api.md 1.4).

What can be done with a token is the table LIFE and nothing else. A token that never came is MISSING. One whose New York
day is over, that E*TRADE refused or that we revoked is DEAD, and no broker call is signed with it any more.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.base.calendar import next_midnight
from shared.frozen import frozen

ARRIVES_WITHIN = timedelta(seconds=30)
"""Longer than a broker call takes: a token signs nothing that could arrive after midnight."""


class TokenState(StrEnum):
    """Where the token stands in its life."""

    MISSING = "missing"
    FRESH = "fresh"
    RENEWABLE = "renewable"
    IDLE = "idle"
    DEAD = "dead"


@frozen
class Stage:
    """What a state allows: `from_age` since the last renewal; `signs` calls; `renews`; else the owner `signs_in`."""

    state: TokenState
    from_age: timedelta | None
    signs: bool
    renews: bool
    signs_in: bool


LIFE: dict[TokenState, Stage] = {
    stage.state: stage
    for stage in (
        Stage(state=TokenState.FRESH, from_age=timedelta(0), signs=True, renews=False, signs_in=False),
        Stage(state=TokenState.RENEWABLE, from_age=timedelta(minutes=25), signs=True, renews=True, signs_in=False),
        # Asleep as far as the record knows: calls by anybody may have kept it awake, and one that wakes it is allowed.
        Stage(state=TokenState.IDLE, from_age=timedelta(hours=2), signs=True, renews=True, signs_in=False),
        Stage(state=TokenState.DEAD, from_age=None, signs=False, renews=False, signs_in=True),
        Stage(state=TokenState.MISSING, from_age=None, signs=False, renews=False, signs_in=True),
    )
}


@frozen
class RequestToken:
    """The first half of a sign-in; its secret is kept in the vault only."""

    token: str
    secret: str

    def __repr__(self) -> str:
        return "RequestToken(hidden)"


@frozen
class AccessToken:
    """What signs broker calls until midnight New York; never logged, never shown."""

    token: str
    secret: str

    def __repr__(self) -> str:
        return "AccessToken(hidden)"


@frozen
class TokenRecord:
    """What the store knows of the token in the vault: a version and instants, never the token.

    `ended_at` is there when we ended it ourselves because its day was done, or `by_owner`, who signed out.
    """

    vault_version: str
    issued_at: datetime
    renewed_at: datetime
    dies_at: datetime
    ended_at: datetime | None = None
    by_owner: bool = False
    schema_version: int = 1


def issued(version: str, at: datetime) -> TokenRecord:
    """Give the record of a token that was asked for at an instant: it dies with that instant's New York day."""
    return TokenRecord(vault_version=version, issued_at=at, renewed_at=at, dies_at=next_midnight(at))


def stage_of(record: TokenRecord | None, now: datetime) -> Stage:
    """Give the row of LIFE that holds now."""
    if record is None:
        return LIFE[TokenState.MISSING]
    if now >= record.dies_at or now >= next_midnight(record.issued_at) - ARRIVES_WITHIN:
        return LIFE[TokenState.DEAD]
    age = now - record.renewed_at
    reached = [stage for stage in LIFE.values() if stage.from_age is not None and age >= stage.from_age]
    return reached[-1] if reached else LIFE[TokenState.FRESH]


def lost(record: TokenRecord | None, now: datetime) -> bool:
    """Tell whether a token died before its day was over although nobody ended it: the owner has to hear of it now."""
    if record is None or record.ended_at is not None:
        return False
    return record.dies_at <= now < next_midnight(record.issued_at)
