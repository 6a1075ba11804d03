"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.recorded import market_data_folder

# The same examples on every run and machine, and no verdict from how busy the machine is.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Return the folder of recorded market days, or skip."""
    return market_data_folder(os.environ)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that wait for minutes before all others, so that a second process works meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
