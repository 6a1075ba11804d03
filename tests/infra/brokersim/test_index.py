"""The page at the root: what it says is so, and its examples work as they are pasted."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import get_args

import pytest
import requests

from infra.brokersim.faults import Endpoint
from infra.brokersim.index_page import GIVEN
from infra.brokersim.network import Network
from infra.brokersim.routes import TOLD, route
from infra.brokersim.server import RunningSimulator, start
from tests.infra.brokersim.world import CONSUMER_KEY, CONSUMER_SECRET, URL, requests_in, world
from tests.patience import PATIENCE_S

SECRET = "made/up+for=this"
"""With the characters that a signature encodes."""


@pytest.fixture
def running() -> Iterator[RunningSimulator]:
    """Give a simulator on loopback whose pair was made up for it."""
    with start(
        port=0, market_spec="generated", consumer_key=CONSUMER_KEY, consumer_secret=SECRET, auto_approve=False, speed=1,
        seed=3, network=Network.FAST, made_up=True,
    ) as one:  # fmt: skip
        yield one


def example(page: str, name: str) -> str:
    """Give the text of an example as a person copies it."""
    found = re.search(rf'<pre id="{name}">(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def pasted(page: str, name: str, home: Path) -> str:
    """Run an example; give what it prints."""
    words = {"curl": [shutil.which("sh") or "sh", "-c"], "python": [sys.executable, "-c"]}[name]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(  # noqa: S603 - what the simulator wrote
        [*words, example(page, name)], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.stdout


@pytest.mark.parametrize("name", ["curl", "python"])
def test_an_example_works_when_it_is_pasted(name: str, running: RunningSimulator, tmp_path: Path) -> None:
    """Each example signs in and prints a quote; with another secret it prints none."""
    if name == "curl" and not (shutil.which("curl") and shutil.which("openssl")):
        pytest.skip("curl or openssl is not installed (Debian: apt-get install curl openssl)")
    page = requests.get(f"{running.url}/", timeout=PATIENCE_S).text
    assert '"QuoteData":[{"dateTime"' in pasted(page, name, tmp_path)
    assert "QuoteData" not in pasted(page.replace(SECRET, "another"), name, tmp_path)


def test_the_page_says_where_and_when_it_is(running: RunningSimulator) -> None:
    """The page names its address, the market's day and time, its speed, and its pair as one that was made up."""
    page = unescape(requests.get(f"{running.url}/", timeout=PATIENCE_S).text)
    for text in (running.url, "Monday, 04 March 2013, 09:", "New York", "as the wall clock", CONSUMER_KEY):
        assert text in page
    assert f"{SECRET} (made up for this simulator)" in page


def test_a_secret_that_was_given_is_not_shown() -> None:
    """A pair that somebody gave may be a real one: its secret is nowhere on the page."""
    one = world(logged_in=False)
    answer = requests_in(one.simulator).get(f"{URL}/")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert CONSUMER_SECRET not in answer.text
    assert GIVEN in answer.text


def test_the_simulator_of_a_running_system_shows_no_example() -> None:
    """Where a program's own time is not taken, no example stands that would fail, nor an address, and that is said."""
    page = requests_in(world(logged_in=False, for_programs=False, speed=20.0).simulator).get(f"{URL}/").text
    assert "20 simulated seconds in a real one" in page
    assert "strategy brokersim" in page
    for part in ('id="curl"', 'id="python"', "Address"):
        assert part not in page
        assert part in requests_in(world(logged_in=False).simulator).get(f"{URL}/").text


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    """The page has no script, and names no other address than its own."""
    page = requests_in(world(logged_in=False).simulator).get(f"{URL}/").text
    assert not re.search(r"<script|<link|<img|src=|@import|url\(", page, re.IGNORECASE)
    assert set(re.findall(r"https?://[^/\s\"'<&]+", page)) == {"http://127.0.0.1"}


def test_every_endpoint_is_told() -> None:
    """Each endpoint stands on the page with its verb and path, and nothing does that is not answered."""
    told = {route(verb, path).endpoint for verb, path, _ in TOLD}
    assert told == set(get_args(Endpoint)) - {"index"}
