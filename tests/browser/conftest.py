"""One Chromium for all tests of pages; without it they skip, or fail where it is required."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.served import CHROMIUM, REQUIRED, Served, browser
from tests.patience import PATIENCE_S

# What is expected of a page has the time that every other wait has, and not a sixth of it.
expect.set_options(timeout=1000 * PATIENCE_S)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give a running Chromium."""
    if CHROMIUM is None:
        sentence = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{sentence}, and {REQUIRED}=1 wants it")
        pytest.skip(sentence)
    with browser() as running:
        yield running


@pytest.fixture
def typed() -> Iterator[Served]:
    """Give a sign-in in which the owner types the code."""
    served = Served(comes_back=False)
    yield served
    served.close()


@pytest.fixture
def brought_back() -> Iterator[Served]:
    """Give a sign-in from which E*TRADE brings the owner back."""
    served = Served(comes_back=True)
    yield served
    served.close()
