"""token_refresh: RefreshTick in, a token that stays awake."""

from shared import wiring
from shared.domain.messages import RefreshTick
from shared.door import PushDoor
from shared.usecases.refresh import refresh
from shared.wiring import Platform
from shared.wiring.authority import authority
from shared.wiring.cloud_bus import open_bus
from shared.wiring.rooms import room

NAME = "token_refresh"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def _build(platform: Platform) -> PushDoor:
    here = room(platform)
    etrade = authority(platform, here)
    return PushDoor(
        desk=here.desk, tells=True, handlers={RefreshTick: lambda _envelope, _tick: refresh(here.desk, etrade)}
    )
