"""The door of notify: see shared/wiring/notify.py."""

import functions_framework
from flask import Request

from shared.wiring import notify

handle = notify.door()


@functions_framework.http
def main(request: Request) -> tuple[str, int]:
    """Serve one push of a message."""
    return handle(request)
