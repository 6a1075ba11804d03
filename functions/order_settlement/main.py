"""The door of order_settlement: see shared/wiring/order_settlement.py."""

import functions_framework
from flask import Request

from shared.wiring import order_settlement

handle = order_settlement.door()


@functions_framework.http
def main(request: Request) -> tuple[str, int]:
    """Serve one push of a message."""
    return handle(request)
