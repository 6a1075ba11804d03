"""The door of token_refresh: see shared/wiring/token_refresh.py."""

import functions_framework
from flask import Request

from shared.wiring import token_refresh

handle = token_refresh.door()


@functions_framework.http
def main(request: Request) -> tuple[str, int]:
    """Serve one push of a message."""
    return handle(request)
