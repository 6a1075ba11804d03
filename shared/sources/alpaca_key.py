"""The owner's key of Alpaca's, as the vault holds it: two parts, as one JSON object."""

from dataclasses import dataclass

from shared.codec import decode, loads
from shared.errors import ConfigError, Malformed
from shared.ports import Vault
from shared.topology import ALPACA_KEY


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AlpacaKey:
    """The two parts of a key of Alpaca's."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return "AlpacaKey(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key, and which version of the secret it is."""

    version: str
    key: AlpacaKey


def stored_alpaca(vault: Vault) -> StoredKey | None:
    """Read the key from the vault, None where there is none; raises ConfigError for what is none, and StoreDown."""
    versions = vault.versions(ALPACA_KEY)
    if not versions:
        return None
    try:
        key = decode(AlpacaKey, loads(vault.read(ALPACA_KEY, versions[-1])))
    except (KeyError, Malformed):
        key = AlpacaKey(key_id="", secret="")
    if not (key.key_id and key.secret):
        raise ConfigError((f"the secret {ALPACA_KEY} is not a JSON object of key_id and secret: store it again",))
    return StoredKey(version=versions[-1], key=key)
