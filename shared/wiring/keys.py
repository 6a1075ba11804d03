"""Keys that somebody issued to the owner, as the vault holds each: its parts, as one JSON object."""

from typing import TypeVar

from shared.codec import decode, encode, loads
from shared.errors import ConfigError, Malformed
from shared.ports import Vault

K = TypeVar("K")


def stored_key(vault: Vault, secret: str, kind: type[K]) -> tuple[str, K] | None:
    """Read the newest version of a key, whose parts are texts, and give which one it is; None where there is none.

    Raises ConfigError for what is no such key, or has an empty part, and StoreDown.
    """
    versions = vault.versions(secret)
    if not versions:
        return None
    key: K | None
    try:
        key = decode(kind, loads(vault.read(secret, versions[-1])))
    except (KeyError, Malformed):
        key = None
    if key is None or not all(encode(key).values()):  # raised here: no exception that shows the secret is its context
        parts = " and ".join(kind.__annotations__)
        raise ConfigError((f"the secret {secret} is not a JSON object of {parts}: store it again",))
    return versions[-1], key
