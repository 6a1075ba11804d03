"""oauth_callback: the owner's browser in, the day's access token out."""

from shared import wiring
from shared.pages import SignInPages
from shared.pages.halting import Halting
from shared.settings import Mode
from shared.usecases.authorize import SignIns
from shared.wiring import Platform
from shared.wiring.authority import authority
from shared.wiring.cloud_bus import open_bus
from shared.wiring.rooms import Room, room

NAME = "oauth_callback"


def door() -> SignInPages:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def _build(platform: Platform) -> SignInPages:
    here = room(platform)
    sign_ins = SignIns(
        desk=here.desk, authority=authority(platform, here), vault=here.vault, operator=here.settings.operator
    )
    halting = Halting(desk=here.desk, vault=here.vault, operator=here.settings.operator)
    return SignInPages(
        sign_ins=sign_ins, halting=halting, callback_url=here.settings.callback_url, name=_name(here)
    )  # fmt: skip


def _name(here: Room) -> str:
    """Tell a system from the owner's others, on a page that anybody may open, by its mode, as notices do."""
    if here.settings.mode is Mode.PAPER:
        return "the PAPER system, whose orders stay in its own book"
    return "the LIVE system"
