"""The door of order_placement: see shared/wiring/order_placement.py."""

import functions_framework
from flask import Request

from shared.wiring import order_placement

handle = order_placement.door()


@functions_framework.http
def main(request: Request) -> tuple[str, int]:
    """Serve one push of a message."""
    return handle(request)
