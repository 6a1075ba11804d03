"""What the days of this folder share: the made market, and the folder of cases beside the repository."""

import os
from pathlib import Path

import pytest

from tests.recorded import cases_folder
from tests.simulated_day.made import market_file


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a made market, written once."""
    return market_file(tmp_path_factory.mktemp("market"))


@pytest.fixture
def cases() -> Path:
    """Return the folder of cases."""
    return cases_folder(os.environ)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call each test that plays a day here one of `make days`; what meets the simulator alone stays with the rest."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and "tmp_path" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.days)
