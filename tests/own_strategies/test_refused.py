"""Nothing that never passed is started or packaged: the owner is told first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.cli import package
from infra.one_machine.clock import KernelClock
from infra.one_machine.kernel import Kernel
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.owners_desk import owners_desk
from infra.running.checked import require_checked
from infra.simulated_day.problems import UserError
from shared.domain.control.tables import strategies_of
from shared.domain.orders.versions import Ceilings
from shared.settings import OWN_STRATEGIES
from shared.strategies.config import load
from shared.usecases.control import configuration
from tests.strategies.own import passing, write

Stored = Callable[[str], MemoryStore]


@pytest.fixture
def stored() -> Stored:
    """Give a store whose newest configuration names one strategy."""

    def of(name: str) -> MemoryStore:
        store, shipped = MemoryStore(), load("demo")
        config = replace(shipped, strategies=strategies_of({name: {}, "momentum": {}}))
        desk = owners_desk(KernelClock(Kernel(start=datetime(2013, 10, 7, tzinfo=UTC), seed=1)), store)
        configuration.change(
            desk,
            None,
            shipped,
            Ceilings(),
            config=config,
            note="a test",
        )
        return store

    return of


def test_what_never_passed_and_is_named_is_refused(stored: Stored, tmp_path: Path) -> None:
    """A configuration in force that names an unchecked file is refused by name, and taken once the file has passed."""
    folder = write(tmp_path)
    store = stored("mine")
    with pytest.raises(UserError, match=r"mine of .* never passed `strategy check`.*nothing was started"):
        require_checked(store, "default", str(folder))
    passing(folder)
    require_checked(store, "default", str(folder))
    (folder / "mine.py").write_text((folder / "mine.py").read_text() + "# later\n")
    with pytest.raises(UserError, match="as it stands now"):
        require_checked(store, "default", str(folder))


def test_what_nobody_names_stops_nothing(stored: Stored, tmp_path: Path) -> None:
    """An unchecked file that no configuration names keeps nobody from starting, nor does a missing folder."""
    require_checked(stored("opening_range"), "default", str(write(tmp_path)))
    require_checked(MemoryStore(), "default", str(write(tmp_path)))
    require_checked(stored("mine"), "default", "")


def test_nothing_is_packaged_beside_what_never_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`strategy package` names the file that never passed, and writes no archive."""
    (tmp_path / "own").mkdir()
    monkeypatch.setenv(OWN_STRATEGIES, str(write(tmp_path / "own")))
    out = tmp_path / "out"
    with pytest.raises(UserError, match=r"mine of .* never passed"):
        package.run(out=out, json_out=None)
    assert list(out.iterdir()) == []
