"""E*TRADE's OAuth side, for signing in and renewing."""

from collections.abc import Callable

from shared.etrade.authority import AUTHORIZE_URL, EtradeAuthority
from shared.etrade.session import Credentials
from shared.wiring import Platform
from shared.wiring.rooms import Room


def authority(platform: Platform, room: Room, credentials: Callable[[], Credentials]) -> EtradeAuthority:
    """Build the client of E*TRADE's OAuth endpoints."""
    desk = room.desk
    return EtradeAuthority(
        credentials=credentials, clock=desk.clock, chance=desk.chance, journal=desk.journal, caller=desk.actor,
        http=platform.http, page=platform.authorize_page or AUTHORIZE_URL, sandbox=room.settings.sandbox,
    )  # fmt: skip
