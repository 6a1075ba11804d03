"""token_refresh: RefreshTick and RenewAsked in, a token that stays awake, and an owner who is told in time."""

from datetime import timedelta

from shared import wiring
from shared.domain.telling.messages import RefreshTick, RenewAsked
from shared.door import PushDoor
from shared.ports import Envelope
from shared.usecases.sign_in.refresh import Care, refresh
from shared.usecases.sign_in.renew import renew_when_asked
from shared.wiring import Platform
from shared.wiring.authority import authority
from shared.wiring.cloud_bus import open_bus
from shared.wiring.credentials import VaultCredentials
from shared.wiring.rooms import room

NAME = "token_refresh"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def _build(platform: Platform) -> PushDoor:
    here = room(platform)
    chosen = here.settings
    # Which token counts is asked for at each call.
    etrade = authority(platform, here, VaultCredentials(platform, here, every=timedelta(0)))
    care = Care(
        operator=chosen.operator, has_page=bool(chosen.sign_in_url), remind_at=chosen.remind_at,
        ends_at=chosen.token_ends_at,
    )  # fmt: skip

    def look_after(_envelope: Envelope, _tick: RefreshTick) -> None:
        refresh(here.desk, etrade, here.vault, care)

    def wake(_envelope: Envelope, message: RenewAsked) -> None:
        renew_when_asked(here.desk, etrade, asked_at=message.asked_at)

    return PushDoor(desk=here.desk, tells=True, handlers={RefreshTick: look_after, RenewAsked: wake})
