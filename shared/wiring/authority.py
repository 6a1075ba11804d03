"""E*TRADE's OAuth side, for the two functions that sign in and renew."""

from shared.etrade.authority import AUTHORIZE_URL, EtradeAuthority
from shared.wiring import Platform
from shared.wiring.desks import Room, VaultCredentials


def authority(platform: Platform, room: Room) -> EtradeAuthority:
    """Build the client of E*TRADE's OAuth endpoints."""
    desk = room.desk
    return EtradeAuthority(
        credentials=VaultCredentials(platform, room), clock=desk.clock, chance=desk.chance, journal=desk.journal,
        caller=desk.actor, http=platform.http, page=platform.authorize_page or AUTHORIZE_URL,
    )  # fmt: skip
