"""notify: notices in, the owner told."""

from shared import settings, wiring
from shared.apprise_notifier import AppriseNotifier
from shared.domain.notices import NOTICES
from shared.door import PushDoor
from shared.errors import Undelivered
from shared.ports import Vault
from shared.settings import Mode
from shared.topology import NOTIFY_ADDRESSES
from shared.usecases.deliver import Links, deliver
from shared.wiring import Platform
from shared.wiring.rooms import Room, room

NAME = "notify"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build)


def _build(platform: Platform) -> PushDoor:
    here = room(platform)
    prefix = "PAPER: " if here.settings.mode is Mode.PAPER else ""
    chosen = here.settings
    links = Links(desk=here.desk, vault=here.vault, operator=chosen.operator, page=chosen.sign_in_url)
    notifier = AppriseNotifier(addresses=VaultAddresses(platform, here), journal=here.desk.journal)
    return PushDoor(
        desk=here.desk,
        handlers=dict.fromkeys(
            NOTICES.values(), lambda _envelope, notice: deliver(here.desk, notifier, notice, prefix=prefix, links=links)
        ),
    )


class VaultAddresses:
    """Gives the addresses of the moment: the environment's on one machine, else the vault's, read for each notice."""

    __slots__ = ("_given", "_vault")

    def __init__(self, platform: Platform, room: Room) -> None:
        self._given = settings.notify_addresses(platform.environ)
        self._vault = room.vault

    def __call__(self) -> tuple[str, ...]:
        """Read the addresses, none where nobody stored any; raises StoreDown, or Undelivered for a bad secret."""
        if self._given:
            return self._given
        versions = self._vault.versions(NOTIFY_ADDRESSES)
        if not versions:
            return ()
        found = _parsed(self._vault, versions[-1])
        if found is None:  # raised here, where no exception that holds the secret is its context
            raise Undelivered(f"the secret {NOTIFY_ADDRESSES} is not {settings.ADDRESSES_HINT}")
        return found


def _parsed(vault: Vault, version: str) -> tuple[str, ...] | None:
    try:
        return settings.addresses(vault.read(NOTIFY_ADDRESSES, version).decode())
    except (KeyError, ValueError):
        return None
