"""The addresses that the owner is told at, as the vault holds them."""

from shared import settings
from shared.ports import Vault
from shared.topology import NOTIFY_ADDRESSES


def stored_addresses(vault: Vault) -> tuple[str, ...] | None:
    """Read a vault's newest addresses, none where nobody stored any; None for a secret that cannot be used."""
    versions = vault.versions(NOTIFY_ADDRESSES)
    if not versions:
        return ()
    try:
        return settings.addresses(vault.read(NOTIFY_ADDRESSES, versions[-1]).decode())
    except (KeyError, ValueError):
        return None
