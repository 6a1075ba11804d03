"""The adapters under contract."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.memory_store import MemoryStore
from infra.local.sqlite_store import SqliteStore
from infra.local.vault import FileVault
from shared.ports import Store, Vault

STORES = ("memory", "sqlite")
VAULTS = ("file",)
KEY = bytes(range(32))


def open_store(kind: str, folder: Path) -> tuple[Store, Callable[[], None]]:
    """Open an empty store of one kind, and give what closes it."""
    if kind == "memory":
        return MemoryStore(), lambda: None
    store = SqliteStore(folder / "state.db")
    return store, store.close


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give an empty store of each kind in turn."""
    store, close = open_store(request.param, tmp_path)
    yield store
    close()


@pytest.fixture(params=VAULTS)
def vault(tmp_path: Path) -> Vault:
    """Give an empty vault of each kind in turn."""
    return FileVault(tmp_path / "vault.bin", key=KEY)
