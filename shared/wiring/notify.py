"""notify: notices in, the owner told."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

from shared import settings, wiring
from shared.apprise_notifier import AppriseNotifier
from shared.domain.telling.notices import NOTICES, Notice
from shared.door import PushDoor
from shared.errors import InvariantBroken, Undelivered
from shared.settings import Mode
from shared.topology import NOTIFY_ADDRESSES
from shared.usecases.base.outbox import unpack
from shared.usecases.telling.deliver import Links, deliver
from shared.wiring import Platform
from shared.wiring.addresses import stored_addresses
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

    def tell(notice: Notice) -> None:
        deliver(here.desk, notifier, notice, prefix=prefix, links=links, broker=platform.broker)

    return PushDoor(
        desk=replace(here.desk, bus=ToItself(tell)),
        tells=True,
        handlers=dict.fromkeys(NOTICES.values(), lambda _envelope, notice: tell(notice)),
    )


class ToItself:
    """The Bus of the function that takes notices: what it has to tell of itself, it tells at once."""

    def __init__(self, tell: Callable[[Notice], None]) -> None:
        self._tell = tell

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:  # noqa: ARG002 - the port's
        """Tell a notice, the only thing that this function promises; raises Undelivered, StoreError."""
        message = unpack(data)
        if type(message) not in NOTICES.values():
            raise InvariantBroken(f"notify publishes nothing on {topic}")
        self._tell(cast("Notice", message))
        return ""


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
        found = stored_addresses(self._vault)
        if found is None:  # raised here, where no exception that holds the secret is its context
            raise Undelivered(f"the secret {NOTIFY_ADDRESSES} is not {settings.ADDRESSES_HINT}")
        return found
