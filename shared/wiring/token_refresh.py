"""token_refresh: RefreshTick in, a token that stays awake."""

from flask import Request

from shared import wiring
from shared.domain.messages import RefreshTick
from shared.door import PushDoor, Reply
from shared.usecases.refresh import refresh
from shared.wiring import Platform
from shared.wiring.authority import authority
from shared.wiring.desks import room

NAME = "token_refresh"


def handle(request: Request) -> Reply:
    """Serve one push."""
    return wiring.door(NAME, _build)(request)


def _build(platform: Platform) -> PushDoor:
    here = room(platform)
    etrade = authority(platform, here)
    return PushDoor(desk=here.desk, handlers={RefreshTick: lambda _envelope, _tick: refresh(here.desk, etrade)})
