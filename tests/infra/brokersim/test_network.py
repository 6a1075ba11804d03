"""The slow network: how long a call takes, when it has its effect, and that no call moves the time of another kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import median

import pytest

from infra.brokersim.market import open_market
from infra.brokersim.network import LONGEST_S, MEDIAN_S, TRAVEL_S, OwnTime, there_and_back
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.simulator import Simulator
from infra.one_machine.wsgi import Answer, exchange

CALLS = 20_000
WAY_S = sum(TRAVEL_S) / 2
SETTINGS = SimulatorSettings(consumer_key="key", consumer_secret="secret")
REQUEST = "/oauth/request_token"


def own(endpoint: str, count: int, *, seed: int = 1, made: Callable[..., OwnTime] = OwnTime) -> list[float]:
    """Give the own times of an endpoint's first calls."""
    time = made(seed=seed, wait=lambda _: None)
    return [time.draw(endpoint) for _ in range(count)]


def test_a_call_takes_as_long_as_is_said() -> None:
    """A call takes a median of 150 ms in all, one in a hundred more than 0.6 s, and none more than 1.2 s."""
    found = sorted(2 * WAY_S + seconds for seconds in own("quotes", CALLS))
    assert median(found) == pytest.approx(MEDIAN_S, abs=0.005)
    assert 0.6 < found[CALLS * 99 // 100] < 0.8
    assert found[-1] - 2 * WAY_S + 2 * TRAVEL_S[1] == pytest.approx(LONGEST_S)
    assert found[0] > 2 * WAY_S


class _OneStream(OwnTime):
    """A seeded mistake: all endpoints draw from one stream."""

    def draw(self, endpoint: str) -> float:
        return super().draw("all")


@pytest.mark.parametrize(("made", "same"), [(OwnTime, True), (_OneStream, False)])
def test_one_more_call_moves_no_other_endpoint(made: type[OwnTime], same: bool) -> None:
    """However many quotes are asked for between them, a seed's places take what they take; in one stream not so."""
    time = made(seed=1, wait=lambda _: None)
    found = []
    for calls in (3, 0, 7):
        for _ in range(calls):
            time.draw("quotes")
        found.append(time.draw("place"))
    assert (found == own("place", 3, made=made)) is same
    assert own("place", 3) != own("place", 3, seed=2)


class _Town:
    """A simulator whose time passes only while somebody waits for it."""

    def __init__(self) -> None:
        self.at = datetime.fromisoformat("2013-03-04T14:00:00+00:00")
        self.waited: list[float] = []
        own_time = OwnTime(seed=1, wait=self.wait)
        market = open_market("generated", seed=1)
        self.simulator = Simulator(market=market, now=lambda: self.at, settings=SETTINGS, seed=1, own_time=own_time)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += timedelta(seconds=seconds)

    def ask(self, target: str) -> Answer:
        return exchange(self.simulator, method="GET", target=target, headers={}, body=b"")


def test_a_call_has_its_effect_before_the_own_time() -> None:
    """The answer is of the instant in which the call was admitted, and leaves when the broker's own time is over."""
    town = _Town()
    began = town.at
    answer = town.ask(REQUEST)
    assert town.waited == own("request_token", 1)
    assert town.at > began
    assert dict(answer.headers)["Date"] == "Mon, 04 Mar 2013 14:00:00 GMT"


def test_what_no_endpoint_takes_costs_no_time() -> None:
    """A path that the broker does not have is refused at once, and draws nothing."""
    town = _Town()
    assert town.ask("/nowhere").status == 404
    assert town.waited == [0.0]
    town.ask(REQUEST)
    assert town.waited[1:] == own("request_token", 1)


def test_a_request_and_its_answer_travel() -> None:
    """Nothing is asked before the first way is over, and nothing is given before the second."""
    seen: list[str] = []

    def ask() -> list[bytes]:
        seen.append("asked")
        return [b"answer"]

    answer = there_and_back(lambda: seen.append("way"), ask)
    assert seen == []
    assert list(answer) == [b"answer"]
    assert seen == ["way", "asked", "way"]
