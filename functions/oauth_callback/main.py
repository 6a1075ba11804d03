"""The door of oauth_callback: see shared/wiring/oauth_callback.py."""

import functions_framework
from flask import Request, Response

from shared.wiring import oauth_callback

handle = oauth_callback.door()


@functions_framework.http
def main(request: Request) -> Response:
    """Serve one request of the owner's browser."""
    return handle(request)
