"""The simulator on a loopback socket is the simulator in process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote

import pytest
import requests
from requests_oauthlib import OAuth1Session

from infra.brokersim.faults import Fault
from infra.brokersim.server import RunningSimulator, ScaledClock, start
from tests.infra.brokersim.world import verifier_in

KEY = "simulated-consumer-key"
SECRET = "simulated-consumer-secret"


@pytest.fixture
def running() -> Iterator[RunningSimulator]:
    with start(
        port=0,
        market_spec="generated",
        consumer_key=KEY,
        consumer_secret=SECRET,
        auto_approve=True,
        speed=1,
        seed=3,
    ) as one:
        yield one


def sign_in(url: str) -> OAuth1Session:
    first = OAuth1Session(KEY, SECRET, callback_uri="oob")
    first.trust_env = False
    token = dict(parse_qsl(first.get(f"{url}/oauth/request_token").text))
    page = requests.get(f"{url}/e/t/etws/authorize?key={KEY}&token={quote(token['oauth_token'], safe='')}", timeout=60)
    second = OAuth1Session(
        KEY,
        SECRET,
        resource_owner_key=token["oauth_token"],
        resource_owner_secret=token["oauth_token_secret"],
        verifier=verifier_in(page.text),
    )
    access = dict(parse_qsl(second.get(f"{url}/oauth/access_token").text))
    return OAuth1Session(
        KEY,
        SECRET,
        resource_owner_key=access["oauth_token"],
        resource_owner_secret=access["oauth_token_secret"],
    )


def test_each_answer_has_the_simulated_instant(running: RunningSimulator) -> None:
    """Every answer has one Date, of the simulated time; where the clocks are to differ, by so much another one."""
    for off in (timedelta(0), timedelta(seconds=90), timedelta(seconds=-90)):
        with running.lock:
            running.simulator.misdate(off)
        before = running.simulator._now()
        (date,) = requests.get(f"{running.url}/v1/accounts/list.json", timeout=60).raw.headers.getlist("Date")
        after = running.simulator._now()
        told = parsedate_to_datetime(date) - off
        assert before - timedelta(seconds=1) < told <= after


def test_a_client_signs_in_and_quotes_over_a_real_socket(running: RunningSimulator) -> None:
    """A client signs in and quotes over a real socket."""
    api = sign_in(running.url)
    answer = api.get(f"{running.url}/v1/market/quote/IBM,ZXAA.json", params={"detailFlag": "INTRADAY"})
    symbols = [one["Product"]["symbol"] for one in answer.json()["QuoteResponse"]["QuoteData"]]
    assert symbols == ["IBM", "ZXAA"]
    assert answer.headers["Cache-Control"] == "no-cache, no-store"


def test_a_dropped_connection_is_a_closed_socket(running: RunningSimulator) -> None:
    """A dropped connection is a closed socket."""
    api = sign_in(running.url)
    running.simulator.inject(Fault(endpoint="quotes", kind="reset"))
    with pytest.raises(requests.ConnectionError):
        api.get(f"{running.url}/v1/market/quote/IBM.json")
    assert api.get(f"{running.url}/v1/market/quote/IBM.json").status_code == 200


def test_it_listens_on_loopback_only_and_stops_when_closed(running: RunningSimulator) -> None:
    """It listens on loopback only and stops when closed."""
    assert running.url.startswith("http://127.0.0.1:")
    port = int(running.url.rpartition(":")[2])
    running.close()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_a_taken_port_is_an_error_before_anything_listens() -> None:
    """A taken port is an error before anything listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        start(
            port=taken.getsockname()[1],
            market_spec="generated",
            consumer_key=KEY,
            consumer_secret=SECRET,
            auto_approve=True,
            speed=1,
            seed=1,
        )


def test_a_scaled_clock_runs_as_fast_as_it_was_told() -> None:
    """A scaled clock runs as fast as it was told."""
    machine = iter([100.0, 101.5])
    began = datetime(2013, 3, 4, 14, 30, tzinfo=UTC)
    clock = ScaledClock(began, 60, seconds=lambda: next(machine))
    assert clock() == began + timedelta(seconds=90)
