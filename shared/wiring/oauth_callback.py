"""oauth_callback: the owner's browser in, the day's access token out, which it may add to the vault and not read."""

from shared import wiring
from shared.pages import SignInPages
from shared.pages.halting import Halting
from shared.pages.keys import HeldKey
from shared.pages.refused import RefusalCount
from shared.settings import Mode
from shared.usecases.base.links import HALT
from shared.usecases.sign_in.authorize import SignIns
from shared.wiring import Platform
from shared.wiring.authority import authority
from shared.wiring.cloud_bus import open_bus
from shared.wiring.credentials import ConsumerCredentials
from shared.wiring.rooms import Room, room

NAME = "oauth_callback"


def door() -> SignInPages:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def _build(platform: Platform) -> SignInPages:
    here = room(platform)
    desk, operator = here.desk, here.settings.operator
    sign_ins = SignIns(
        desk=desk, authority=authority(platform, here, ConsumerCredentials(platform, here)), vault=here.vault,
        operator=operator, key=HeldKey(desk, here.vault, operator), account_id=here.settings.account_id,
    )  # fmt: skip
    halting = Halting(desk=desk, key=HeldKey(desk, here.vault, operator, purpose=HALT))
    return SignInPages(
        sign_ins=sign_ins, halting=halting, callback_url=here.settings.callback_url, refusals=RefusalCount(desk),
        name=_name(here), broker=platform.broker,
    )  # fmt: skip


def _name(here: Room) -> str:
    """Tell a system from the owner's others, on a page that anybody may open, by its mode, as notices do."""
    if here.settings.mode is Mode.PAPER:
        return "the PAPER system, whose orders stay in its own book"
    return "the LIVE system"
