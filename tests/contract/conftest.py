"""The adapters under contract: memory, files, Google's emulators."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.process_world import LateStore
from infra.one_machine.secret_manager import SecretManagerFake
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.vault import FileVault
from shared.ports import Store, Vault
from tests.contract.buses import BusWorld, EmulatedBus, KernelBus, ServedBus, served_vault
from tests.contract.clouds import new_project, open_firestore, open_secret_vault

STORES = ("memory", "sqlite", "late", "firestore")
VAULTS = ("file", "served", "secret-manager")
BUSES = ("local", "served", "pubsub")
KEY = bytes(range(32))


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give an empty store of each kind in turn."""
    with ExitStack() as closing:
        yield _open_store(request, tmp_path, closing)


def _open_store(request: pytest.FixtureRequest, folder: Path, closing: ExitStack) -> Store:
    match request.param:
        case "memory":
            return MemoryStore()
        case "sqlite":
            sqlite = SqliteStore(folder / "state.db")
            closing.callback(sqlite.close)
            return sqlite
        case "late":
            return LateStore(lambda: _opened(folder / "state.db", closing))
        case _:
            request.getfixturevalue("emulators")
            return closing.enter_context(open_firestore(new_project()))


def _opened(path: Path, closing: ExitStack) -> SqliteStore:
    """Open the store of a function's process."""
    store = SqliteStore(path, durable=True)
    closing.callback(store.close)
    return store


@pytest.fixture(params=VAULTS)
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    """Give an empty vault of each kind in turn."""
    if request.param == "file":
        yield FileVault(tmp_path / "vault.bin", key=KEY)
        return
    if request.param == "served":
        with served_vault(tmp_path) as vault:
            yield vault
        return
    with SecretManagerFake() as server, open_secret_vault(server) as vault:
        yield vault


@pytest.fixture(params=BUSES)
def bus_world(request: pytest.FixtureRequest) -> Iterator[BusWorld]:
    """Give a bus of each kind in turn, with functions that receive."""
    with ExitStack() as closing:
        if request.param == "pubsub":
            request.getfixturevalue("emulators")
            yield closing.enter_context(EmulatedBus())
        elif request.param == "served":
            yield closing.enter_context(ServedBus())
        else:
            yield closing.enter_context(KernelBus())
