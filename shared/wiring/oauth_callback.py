"""oauth_callback: the owner's browser in, the day's access token out."""

from flask import Request, Response

from shared import wiring
from shared.pages import SignInPages
from shared.wiring import Platform
from shared.wiring.authority import authority
from shared.wiring.desks import room

NAME = "oauth_callback"


def handle(request: Request) -> Response:
    """Serve one request of the owner's browser."""
    return wiring.door(NAME, _build)(request)


def _build(platform: Platform) -> SignInPages:
    here = room(platform)
    return SignInPages(desk=here.desk, authority=authority(platform, here), vault=here.vault)
