"""What every test may ask for."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from infra.local.emulators import Emulators, Sdk, find, running
from shared.errors import ConfigError
from tests.recorded import market_data_folder

REQUIRED = "REQUIRE_EMULATORS"

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


@pytest.fixture(scope="session")
def sdk() -> Sdk:
    """Find Google's emulators; without them the test is skipped, or fails where they are required."""
    try:
        return find(os.environ)
    except ConfigError as missing:
        why = "; ".join(missing.problems)
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, but the emulators are not here: {why}")
        pytest.skip(f"the emulators are not here: {why}")


@pytest.fixture
def available(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Give what skips a test over `emulators` where they are not, unless they must be; `local` is everywhere."""
    return lambda cloud: request.getfixturevalue("sdk") if cloud == "emulators" else None


@pytest.fixture(scope="session")
def running_emulators(sdk: Sdk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Start Google's emulators once."""
    with running(sdk, tmp_path_factory.mktemp("emulators")) as both:
        yield both


@pytest.fixture
def emulators(running_emulators: Emulators, monkeypatch: pytest.MonkeyPatch) -> Emulators:
    """Give Google's emulators, found by the libraries during this test alone."""
    for name, value in running_emulators.environ.items():
        monkeypatch.setenv(name, value)
    return running_emulators
