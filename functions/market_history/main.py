"""The door of market_history: see shared/wiring/market_history.py."""

import functions_framework
from flask import Request

from shared.wiring import market_history

handle = market_history.door()


@functions_framework.http
def main(request: Request) -> tuple[str, int]:
    """Serve one push of a message."""
    return handle(request)
