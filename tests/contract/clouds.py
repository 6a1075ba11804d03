"""Adapters of Google Cloud on emulators and fakes, closed at the end."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from infra.one_machine.secret_manager import SecretManagerFake
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.gcp.firestore_store import Connection, FirestoreStore
from shared.gcp.secret_vault import SecretVault

LIFETIMES = {"a": 1, "orders": 30}
"""Some of the collections that the contracts write have a lifetime: it must not show."""

SECRETS = ("access", "consumer", "request")


def new_project() -> str:
    """Give a project id that no test had before: on an emulator, an empty world."""
    return f"contract-{secrets.token_hex(6)}"


@contextmanager
def open_firestore(project: str) -> Iterator[FirestoreStore]:
    """Open a store of a project, wherever the library finds Firestore."""
    store = FirestoreStore(
        connection=Connection(project), clock=SystemClock(), chance=SystemChance(), lifetimes=LIFETIMES
    )
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_secret_vault(server: SecretManagerFake) -> Iterator[SecretVault]:
    """Open a vault of a project that has its secrets, all without versions."""
    project = new_project()
    server.create(project, *SECRETS)
    vault = SecretVault(project=project, clock=SystemClock(), chance=SystemChance(), connect=server.connect)
    try:
        yield vault
    finally:
        vault.close()
