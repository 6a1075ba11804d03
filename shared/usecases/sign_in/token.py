"""The access token's place: the token in the vault, its version and instants in the store (order-safety.md 4, 9-10)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.codec import decode, dumps, encode, loads
from shared.domain.broker.tokens import AccessToken, Stage, TokenRecord, stage_of
from shared.errors import Malformed, StoreDown, TokenDead
from shared.frozen import frozen
from shared.ports import Store, Vault
from shared.topology import ACCESS_TOKEN
from shared.usecases.base.desk import Held, read

PATH = "token/main"
COMING = "token/coming"
COMES_WITHIN = timedelta(minutes=5)
"""Longer than a request lasts in which a token comes."""


@frozen
class Coming:
    """A sign-in that is at work since an instant: it may have a token in the vault that no record points at yet."""

    since: datetime


def current(store: Store) -> Held[TokenRecord] | None:
    """Read what the store knows of the token."""
    return read(store, TokenRecord, PATH)


def stage(store: Store, now: datetime) -> Stage:
    """Tell where the token stands in its life, also where there is none; raises StoreDown, Malformed."""
    held = current(store)
    return stage_of(held.value if held else None, now)


def unneeded(store: Store, listed: Sequence[str], now: datetime) -> tuple[str, ...]:
    """Give those versions, listed before, that may go: all but the living token's, and none while a token is coming.

    Raises StoreDown, Malformed.
    """
    # In this order: what comes is forgotten by the commit that makes it live.
    coming = read(store, Coming, COMING)
    if coming is not None and now - coming.value.since <= COMES_WITHIN:
        return ()
    held = current(store)
    living = held.value.vault_version if held is not None and stage_of(held.value, now).signs else None
    return tuple(version for version in listed if version != living)


def load(vault: Vault, record: TokenRecord) -> AccessToken:
    """Read the token that the record points at; raises TokenDead when it is no longer there, else StoreDown."""
    try:
        return decode(AccessToken, loads(vault.read(ACCESS_TOKEN, record.vault_version)))
    except (KeyError, Malformed):
        raise TokenDead("the vault no longer holds the access token: the owner has to sign in") from None


def keep(vault: Vault, token: AccessToken) -> str:
    """Store a token as a new version and give the version; raises StoreDown when it is open whether it is stored.

    It is not read back: who signs in may not read. The vault takes bytes that fit their checksum, or none.
    """
    return vault.add(ACCESS_TOKEN, dumps(encode(token)))


def discard(vault: Vault, secret: str, version: str) -> bool:
    """Destroy a version that nobody needs; false when that has to be done another time."""
    try:
        vault.destroy(secret, version)
    except (KeyError, StoreDown):
        return False
    return True
