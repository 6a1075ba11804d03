"""Machines that tests of the functions share; a day that several tests only read is played once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.telling.messages import CloseTick
from shared.usecases.base.outbox import pack
from tests.functions.made import Bench, at, write_market


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the made market: one entry half an hour after the open, and an exit minutes later."""
    return write_market(tmp_path_factory.mktemp("market"))


@pytest.fixture
def bench(tmp_path: Path, market: Path) -> Iterator[Bench]:
    """Give a machine at 09:20, an hour before anything trades, where nobody has signed in."""
    made = Bench(tmp_path / "state", market, start="09:20")
    yield made
    made.close()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, market: Path) -> Iterator[Bench]:
    """Give a day that was played until 10:07 and after its close: signed in, entered, left, and closed."""
    made = Bench(tmp_path_factory.mktemp("played"), market)
    made.sign_in_at("07:20")
    made.world.start_schedules(at("10:07"))
    made.run("16:05")
    made.world.bus.publish("close-ticks", pack(CloseTick()), attributes={})
    made.run("16:06")
    yield made
    made.close()
