"""The door of market_scan: see shared/wiring/market_scan.py."""

import functions_framework
from flask import Request

from shared.wiring import market_scan

handle = market_scan.door()


@functions_framework.http
def main(request: Request) -> tuple[str, int]:
    """Serve one push of a message."""
    return handle(request)
