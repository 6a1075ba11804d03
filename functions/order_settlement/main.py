"""The door of order_settlement: see shared/wiring/order_settlement.py."""

import functions_framework
from flask import Request

from shared.wiring import order_settlement


@functions_framework.http
def main(request: Request) -> tuple[str, int]:
    """Serve one push of a message."""
    return order_settlement.handle(request)
