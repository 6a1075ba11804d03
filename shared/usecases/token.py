"""The access token's place: the token in the vault, its version and instants in the store (order-safety.md 4, 9-10)."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.codec import decode, dumps, encode, loads
from shared.domain.tokens import AccessToken, Stage, TokenRecord, stage_of
from shared.errors import Malformed, StoreDown, TokenDead
from shared.ports import Store, Vault
from shared.topology import ACCESS_TOKEN
from shared.usecases.desk import Held, read

PATH = "token/main"
COMING = "token/coming"
COMES_WITHIN = timedelta(minutes=5)
"""Longer than a request lasts in which a token comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
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


def unspoken_for(store: Store, now: datetime) -> bool:
    """Tell whether no token lives and none is coming, so that all that was in the vault before may go.

    Raises StoreDown, Malformed.
    """
    # In this order: what comes is forgotten by the commit that makes it live.
    coming = read(store, Coming, COMING)
    return (coming is None or now - coming.value.since > COMES_WITHIN) and not stage(store, now).signs


def load(vault: Vault, record: TokenRecord) -> AccessToken:
    """Read the token that the record points at; raises TokenDead when it is no longer there, else StoreDown."""
    try:
        return decode(AccessToken, loads(vault.read(ACCESS_TOKEN, record.vault_version)))
    except (KeyError, Malformed):
        raise TokenDead("the vault no longer holds the access token: the owner has to sign in") from None


def keep(vault: Vault, token: AccessToken) -> str:
    """Store a token as a new version, read it back and give the version.

    Raises StoreDown when it cannot be stored or reads differently; then no version of it is left behind.
    """
    value = dumps(encode(token))
    version = vault.add(ACCESS_TOKEN, value)
    try:
        same = hmac.compare_digest(vault.read(ACCESS_TOKEN, version), value)
    except (KeyError, StoreDown):
        same = False
    if not same:
        discard(vault, ACCESS_TOKEN, version)
        raise StoreDown("the vault did not give back the token that it was given; sign in again")
    return version


def discard(vault: Vault, secret: str, version: str) -> bool:
    """Destroy a version that nobody needs; false when that has to be done another time."""
    try:
        vault.destroy(secret, version)
    except (KeyError, StoreDown):
        return False
    return True
