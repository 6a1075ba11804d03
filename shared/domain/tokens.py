"""The access token's life: fresh, idle after two hours, dead at midnight New York (etrade-api.md 1.4)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TokenState(StrEnum):
    """What can be done with the token now."""

    MISSING = "missing"
    FRESH = "fresh"
    IDLE = "idle"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestToken:
    """The first half of a sign-in; its secret is kept in the vault only."""

    token: str
    secret: str

    def __repr__(self) -> str:
        return "RequestToken(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """What signs broker calls until midnight New York; never logged, never shown."""

    token: str
    secret: str

    def __repr__(self) -> str:
        return "AccessToken(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """What the store knows of the token in the vault: a version and instants, never the token."""

    vault_version: str
    issued_at: datetime
    renewed_at: datetime
    dies_at: datetime
    schema_version: int = 1
