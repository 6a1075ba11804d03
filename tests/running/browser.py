"""The owner's browser in front of a desk of real processes."""

import http.client
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from infra.one_machine.to_simulator import ToSimulator
from infra.running.station import Station
from infra.simulated_day.owner import sign_in
from shared.domain.broker.tokens import TokenState
from shared.usecases.sign_in import token
from tests.patience import PATIENCE_S

STEP = timedelta(seconds=10)


class Pages:
    """Sends requests to the functions' own addresses."""

    def __init__(self, station: Station) -> None:
        self._addresses = station.fleet.addresses

    def request(
        self, function: str, method: str, path_and_query: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, bytes]:
        """Send one request and give status, headers and body."""
        connection = http.client.HTTPConnection(self._addresses[function], timeout=PATIENCE_S)
        try:
            connection.request(method, path_and_query, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class Site:
    """The pages beside a start page, as a browser asks for them."""

    def __init__(self, page: str) -> None:
        self._parts = urlsplit(page)

    def request(
        self, _function: str, method: str, path_and_query: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, bytes]:
        """Send one request and give status, headers and body."""
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.netloc, timeout=PATIENCE_S)
        before = self._parts.path.rpartition("/")[0]
        try:
            connection.request(method, before + path_and_query, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def sign_in_at(station: Station, link: str = "") -> None:
    """Sign the owner in with a link, or a new one, through the real pages of function and simulator."""
    assert station.broker is not None
    sign_in(Pages(station), ToSimulator(station.broker.url), link or station.link())


def lose_token(station: Station) -> None:
    """Let the broker forget every token that it gave."""
    assert station.broker is not None
    with station.broker.lock:
        station.broker.simulator._provider._access_tokens.clear()


def token_state(station: Station) -> TokenState:
    """Tell where the desk's token stands."""
    return token.stage(station.store, station.timeline.now()).state


def run_until(station: Station, happened: Callable[[], bool], *, within: timedelta) -> bool:
    """Let the desk run until something has happened, and tell whether it did within a span of the desk's time."""
    end = station.timeline.now() + within
    while station.timeline.now() < end:
        if happened():
            return True
        station.run(station.timeline.now() + STEP)
    return happened()
