"""What stands in for Google Cloud around real processes: our own embedded services, or Google's emulators."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager

from infra.one_machine import emulators
from infra.one_machine.bus import LocalBus
from infra.one_machine.clock import SeededChance
from infra.one_machine.live import LiveKernel
from infra.one_machine.processes import FunctionProcess
from infra.one_machine.queue import SqliteQueue
from infra.one_machine.services import OWNER, ServiceDesk
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.variables import in_environment
from infra.one_machine.vault import FileVault
from infra.running.folder import Folder
from shared import divided
from shared.errors import StoreDown
from shared.frozen import frozen
from shared.ports import Bus, Journal, Store, Vault
from shared.topology import TOPOLOGY, Function

PREFIX = "desk"
"""How the names of the emulators' databases begin."""

Processes = Mapping[str, FunctionProcess]


@frozen
class CloudSide:
    """The services of one world, seen from outside: `world` and `environ` are for the functions' processes.

    `begin` lets messages flow, once the functions answer; `pending` and `given_up` count deliveries and dead letters,
    where the services can tell. `key_of` gives the key that a function, or `OWNER`, shows to the services;
    the emulators ask for none.
    """

    store: Store
    bus: Bus
    vault: Vault
    world: Mapping[str, str]
    key_of: Callable[[str], str]
    environ: Mapping[str, str]
    begin: Callable[[], None]
    pending: Callable[[], int | None]
    given_up: Callable[[], int | None]


@contextmanager
def embedded(
    folder: Folder, kernel: LiveKernel, deliver: Callable[[str, bytes], int], key: bytes, journal: Journal
) -> Iterator[CloudSide]:
    """Run store, bus and vault on files of the desk's folder; all of it is still there at the next start."""
    vault = FileVault(folder.vault, key=key)
    with (
        closing(SqliteStore(folder.store, durable=True)) as store,
        closing(SqliteQueue(folder.store, durable=True)) as queue,
    ):
        chance = SeededChance(seed=secrets.randbits(32), name="bus")
        bus = LocalBus(kernel=kernel, topology=TOPOLOGY, queue=queue, deliver=deliver, chance=chance)
        with ServiceDesk(kernel=kernel, bus=bus, vault=vault, topology=TOPOLOGY, journal=journal) as desk:
            world = {"cloud": "local", "state": str(folder.store), "services": desk.services(OWNER).address}
            yield CloudSide(
                store=divided.of_owner(divided.one_for_all(store), TOPOLOGY), bus=bus, vault=vault, world=world,
                key_of=lambda caller: desk.services(caller).key, environ={}, begin=bus.resume,
                pending=lambda: bus.pending, given_up=lambda: _given_up(bus),
            )  # fmt: skip


@contextmanager
def emulated(folder: Folder, environ: Mapping[str, str], endpoint: Callable[[Function], str]) -> Iterator[CloudSide]:
    """Run Google's emulators and the Secret Manager fake; what they hold ends with them.

    Raises ConfigError that names what is not installed.
    """
    from infra.one_machine.secret_manager import SecretManagerFake
    from shared.gcp.chance import SystemChance
    from shared.gcp.clock import SystemClock
    from shared.gcp.databases import Databases
    from shared.gcp.pubsub_bus import PubsubBus
    from shared.gcp.secret_vault import SecretVault

    project = f"desk-{secrets.token_hex(6)}"
    clock, chance = SystemClock(), SystemChance()
    with (
        emulators.running(emulators.find(environ), folder.logs) as running,
        in_environment(running.environ),
        SecretManagerFake() as fake,
        closing(Databases(project=project, prefix=PREFIX, clock=clock, chance=chance)) as databases,
        closing(PubsubBus(project=project, clock=clock, chance=chance)) as bus,
        closing(SecretVault(project=project, clock=clock, chance=chance, connect=fake.connect)) as vault,
    ):
        fake.create(project, *TOPOLOGY.secrets)
        yield CloudSide(
            store=divided.of_owner(databases.stores, TOPOLOGY), bus=bus, vault=vault,
            world={
                "cloud": "emulators", "project": project, "secrets": fake.address, "firestore": running.firestore,
            },
            key_of=lambda _: "",
            environ={**running.environ, "GOOGLE_CLOUD_PROJECT": project, "FIRESTORE_DATABASES": PREFIX},
            begin=lambda: emulators.provision(TOPOLOGY, project=project, endpoint=endpoint),
            pending=lambda: None, given_up=lambda: None,
        )  # fmt: skip


def _given_up(bus: LocalBus) -> int | None:
    """Count the dead letters, None while the disk refuses: to look at a desk must not end it."""
    try:
        return len(bus.dead_letters())
    except StoreDown:
        return None
