"""E*TRADE's OAuth side, for signing in and renewing; it always signs with the token that counts now."""

from datetime import timedelta

from shared.etrade.authority import AUTHORIZE_URL, EtradeAuthority
from shared.wiring import Platform
from shared.wiring.credentials import VaultCredentials
from shared.wiring.rooms import Room


def authority(platform: Platform, room: Room) -> EtradeAuthority:
    """Build the client of E*TRADE's OAuth endpoints."""
    desk = room.desk
    return EtradeAuthority(
        credentials=VaultCredentials(platform, room, every=timedelta(0)), clock=desk.clock, chance=desk.chance,
        journal=desk.journal, caller=desk.actor, http=platform.http, page=platform.authorize_page or AUTHORIZE_URL,
        sandbox=room.settings.sandbox,
    )  # fmt: skip
