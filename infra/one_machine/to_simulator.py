"""The way from a function's process to the simulated broker."""

from typing import Any

from requests import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict

from shared.deadline import DeadlineAdapter


class ToSimulator(DeadlineAdapter):
    """Carries the broker client's calls to a simulator on loopback, which sees them as E*TRADE would."""

    def __init__(self, address: str) -> None:
        super().__init__(connections=16)
        self._address = address

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request, signed for the broker's own host, to the simulator."""
        there = request.copy()
        scheme, _, rest = (request.url or "").partition("://")
        host, _, target = rest.partition("/")
        there.url = f"{self._address}/{target}"
        there.headers = CaseInsensitiveDict({**request.headers, "Host": host, "X-Forwarded-Proto": scheme})
        return super().send(there, *args, **kwargs)
