"""A run's state opened again by itself, without the world around it: after the day, or after a crash."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.one_machine.sqlite_store import SqliteStore
from infra.simulated_day.problems import UserError
from shared import divided
from shared.errors import ConfigError, StoreError
from shared.ports import Store
from shared.topology import TOPOLOGY

STATE_FILE = "state.db"


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """Open the store of a run's folder; raises UserError when there is none or it cannot be read."""
    path = folder / STATE_FILE
    if not path.is_file():
        raise UserError(f"{folder} holds no state of a run", remedy="name the folder of a run with --state")
    try:
        store = SqliteStore(path)
        try:
            yield divided.of_owner(divided.one_for_all(store), TOPOLOGY)
        finally:
            store.close()
    except (StoreError, ConfigError) as problem:
        raise UserError(f"{path} cannot be read: {problem.detail}", remedy="name the folder of a run") from None
