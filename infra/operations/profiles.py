"""The three places where a desk may run, behind one switch: this machine, Google's emulators on it, Google Cloud.

What can go wrong: a command reaches another desk than the owner means, writes into the vault's file behind the back of
a running desk, takes the wall clock for a simulated time, or takes another command for a running desk; a file of the
folder is damaged when the owner wants to halt. What this promises: a folder that is no desk is refused; a running
desk's vault is asked through the desk itself, whose file nobody else writes; the instants are the desk's own; commands
work beside each other, and none starts or ends a desk. A halt needs the documents and nothing else: what it cannot
read beside them is named in `troubles` and does not stop it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from infra.one_machine.folder import share
from infra.one_machine.owners_desk import owners_desk
from infra.one_machine.queue import QueuedDelivery, SqliteQueue
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.timeline import PacedClock, Timeline
from infra.one_machine.variables import in_environment
from infra.one_machine.world_file import WorldFile
from infra.operations import systems
from infra.operations.machine import Machine, read_machine
from infra.running.folder import CARD, Folder
from infra.running.instant import KeptInstant
from infra.running.wanted import BROKERS, STATES
from infra.simulated_day.folder import card_of
from infra.simulated_day.problems import UserError
from shared import divided
from shared.divided import DividedStore
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.gcp.chance import SystemChance
from shared.ports import Clock, Vault
from shared.settings import Mode
from shared.topology import TOPOLOGY
from shared.usecases.base.desk import Desk

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

T = TypeVar("T")
PROFILES = ("local", "emulators", "cloud")
KEY_ALONE = "key"
"""The operator of a key alone, whose account nobody chooses."""


@frozen
class Hand:
    """A desk as the owner reaches it; `name` is its folder, or its project in the cloud.

    `sign_in` is the address of its start page, None where nobody serves it; `mode` is paper or live, None where the
    owner's machine does not know it; `config` is the configuration of a simulated day; `open_vault` raises ConfigError,
    UserError or StoreDown; `private` is a folder of this machine that only its owner may enter; `troubles` are what
    could not be read and was not needed; `broker` is simulator, sandbox or production, None as for `mode`; `simulated`
    says that its broker is the simulator, and its vault one that anyone can open; `given_up` lists what the bus gave
    up, None where the bus is not ours; `machine` is how this machine runs it, None where not; `account_id` and
    `sandbox` are its settings; `http` gives what carries its broker calls and `authorize_page` is where the owner
    accepts, None for the network and for E*TRADE's own.
    """

    name: str
    desk: Desk
    open_vault: Callable[[], Vault]
    sign_in: str | None
    operator: str
    running: bool
    mode: str | None
    broker: str | None = None
    config: str | None = None
    private: Path | None = None
    troubles: tuple[str, ...] = ()
    simulated: bool = False
    given_up: Callable[[], list[QueuedDelivery]] | None = None
    machine: Machine | None = None
    account_id: str = ""
    sandbox: bool = True
    http: "Callable[[], BaseAdapter] | None" = None
    authorize_page: str | None = None


def require_profile(profile: str) -> None:
    """Refuse a profile that does not exist, before anything is reached; raises UserError."""
    if profile not in PROFILES:
        raise UserError(f"there is no profile {profile!r}", remedy=f"choose {', '.join(PROFILES)}")


@contextmanager
def reach(
    profile: str, state: Path | None, environ: Mapping[str, str], *, halting: bool = False, unstarted: bool = False
) -> Iterator[Hand]:  # fmt: skip
    """Reach a desk; raises UserError and ConfigError, each with what to do instead.

    For a halt whatever holds documents is a desk, and what cannot be read beside them is left out. With `unstarted` a
    folder that `strategy init` prepared is one before its first start, too: it finds what was stored there.
    """
    require_profile(profile)
    if profile == "cloud":
        with _in_the_cloud(environ) as hand:
            yield hand
        return
    found = systems.only_or_prepared if unstarted else systems.only
    folder = Folder(path=state if state is not None else found())
    missed = _Missed(allowed=halting and (folder.store.exists() or folder.world.exists()))
    unknown: Mapping[str, str] = {"cloud": profile}
    card = missed.unless(lambda: _card(folder, profile, unstarted=unstarted), unknown)
    with ExitStack() as opened:
        yield _on_this_machine(folder, card, environ, missed, opened, unstarted=unstarted)


def key_folder(broker: str) -> Path:
    """Give the folder in which a key alone is looked for."""
    return STATES / f"{broker}-key"


@contextmanager
def reach_key(broker: str, state: Path | None, environ: Mapping[str, str]) -> Iterator[Hand]:
    """Reach a key alone at one of `BROKERS`: a folder that holds its vault and its token's record, and no system.

    It is made where it is missing. Raises UserError for a folder of something else, ConfigError.
    """
    if broker not in BROKERS:
        raise UserError(f"there is no key for {broker!r}", remedy=f"choose {' or '.join(BROKERS)}")
    path = state if state is not None else key_folder(broker)
    folder = Folder(path=path)
    if folder.card() is not None or card_of(path) is not None:
        remedy = "leave --broker out to use the key of a system, or name another folder"
        raise UserError(f"{path} holds a system or a run, and no key alone", remedy=remedy)
    with ExitStack() as opened:
        let_go = share(path)
        if let_go is None:
            raise UserError(f"a process has {path} for itself", remedy="let it end, or name another folder")
        opened.callback(let_go)
        path.chmod(0o700)
        folder.store.touch(mode=0o600)  # what SQLite lays beside it has the same rights
        folder.store.chmod(0o600)
        file = opened.enter_context(closing(SqliteStore(folder.store, durable=True)))
        store = divided.of_owner(divided.one_for_all(file), TOPOLOGY)
        yield Hand(
            name=str(path), desk=owners_desk(PacedClock(Timeline.real()), store),
            open_vault=partial(_file_vault, folder, environ), sign_in=None, operator=KEY_ALONE,
            running=False, mode=None, private=path, sandbox=broker == "sandbox",
        )  # fmt: skip


class _Missed:
    """What could not be read, where going on without it is `allowed`."""

    def __init__(self, *, allowed: bool) -> None:
        self._allowed = allowed
        self.troubles: list[str] = []

    def unless(self, read: Callable[[], T], otherwise: T) -> T:
        """Read something, or go on with `otherwise`; raises UserError and ConfigError where that is not allowed."""
        try:
            return read()
        except (ConfigError, UserError) as problem:
            if not self._allowed:
                raise
            self.troubles.append(problem.what if isinstance(problem, UserError) else "; ".join(problem.problems))
            return otherwise


def _card(folder: Folder, profile: str, *, unstarted: bool) -> Mapping[str, str]:
    card = folder.card()
    if card is None and unstarted and (broker := systems.awaited(folder.path)) is not None:
        folder.store.touch(mode=0o600)
        return {"cloud": "local", "broker": broker, "mode": Mode.PAPER.value}
    if card is None:
        raise systems.not_a_system(folder.path)
    if card["cloud"] != profile:
        raise UserError(f"{folder.path} runs over {card['cloud']}", remedy=f"ask with --profile {card['cloud']}")
    return card


def _on_this_machine(
    folder: Folder, card: Mapping[str, str], environ: Mapping[str, str], missed: _Missed, opened: ExitStack, *,
    unstarted: bool,
) -> Hand:  # fmt: skip
    running = missed.unless(lambda: _runs(folder, opened), True)
    world = missed.unless(lambda: WorldFile.read(folder.world), None) if running else None
    over = card["cloud"] if world is None else world.cloud
    given_up = None
    if over == "emulators":
        if world is None:
            gone = f"the system of {folder.path} is not running, and what its emulators held ended with them"
            lost = f"where the emulators of {folder.path} listen cannot be read"
            remedy = "end it with Ctrl-C; " if running else ""
            raise UserError(lost if running else gone, remedy=f"{remedy}start it with `strategy up --cloud emulators`")
        store, open_vault = _emulated(world, opened)
    else:
        if not unstarted or (folder.path / CARD).exists():
            folder.require_book()
        file = opened.enter_context(closing(SqliteStore(folder.store, durable=True)))
        store = divided.of_owner(divided.one_for_all(file), TOPOLOGY)
        open_vault = partial(_vault, folder, card, world, environ)
        given_up = partial(_given_up, folder)
    wall: Clock = PacedClock(Timeline.real())
    clock = missed.unless(lambda: _clock(folder, world), wall)
    return Hand(
        name=str(folder.path), desk=owners_desk(clock, store, pace=1.0 if world is None else world.speed),
        open_vault=open_vault, running=running,
        sign_in=None if world is None else world.sign_in,
        operator=_operator(environ) if world is None else world.operator,
        mode=card.get("mode"), broker=card.get("broker"), config=card.get("config"),
        private=folder.path if running else None, troubles=tuple(missed.troubles),
        simulated=card.get("broker") == "simulator",
        given_up=given_up, machine=read_machine(folder.status, now=wall.now()) if running else None,
        account_id=_account_id(environ) if world is None else world.account_id, sandbox=card.get("broker") == "sandbox",
        http=_http(world), authorize_page=None if world is None else world.authorize_page,
    )  # fmt: skip


def _given_up(folder: Folder) -> list[QueuedDelivery]:
    with closing(SqliteQueue(folder.store, durable=True)) as queue:
        return queue.dead_letters()


def _runs(folder: Folder, opened: ExitStack) -> bool:
    """Tell whether the desk runs; one that does not is held until the command ends, so that it starts only then."""
    let_go = share(folder.path)
    if let_go is not None:
        opened.callback(let_go)
    return let_go is None


@contextmanager
def _in_the_cloud(environ: Mapping[str, str]) -> Iterator[Hand]:
    from infra.one_machine.emulators import FIRESTORE_VARIABLE
    from shared.gcp.clock import SystemClock
    from shared.gcp.databases import Databases
    from shared.gcp.secret_vault import SecretVault
    from shared.settings import problems_of
    from shared.wiring.cloud import place

    problems = problems_of(place, environ)
    if environ.get(FIRESTORE_VARIABLE):
        problems += (f"{FIRESTORE_VARIABLE} is set and leads to an emulator: unset it to reach the cloud",)
    if problems:
        raise ConfigError(problems)
    project, prefix = place(environ)
    clock, chance = SystemClock(), SystemChance()
    with (
        closing(Databases(project=project, prefix=prefix, clock=clock, chance=chance)) as databases,
        closing(SecretVault(project=project, clock=clock, chance=chance)) as vault,
    ):
        yield Hand(
            name=f"{project}, databases {prefix}",
            desk=owners_desk(clock, divided.of_owner(databases.stores, TOPOLOGY), project=project),
            open_vault=lambda: vault, running=True,
            sign_in=environ.get("STRATEGY_SIGN_IN_URL") or None,
            operator=_operator(environ), mode=None,
            account_id=_account_id(environ), sandbox=environ.get("ETRADE_SANDBOX", "true") == "true",
        )  # fmt: skip


def _operator(environ: Mapping[str, str]) -> str:
    return environ.get("STRATEGY_OPERATOR", "owner")


def _account_id(environ: Mapping[str, str]) -> str:
    return environ.get("ETRADE_ACCOUNT_ID", "")


def _clock(folder: Folder, world: WorldFile | None) -> Clock:
    """Give the desk's time; that of a simulated desk, which keeps it, stands still while it is not running."""
    if world is not None:
        return PacedClock(world.timeline)
    kept = KeptInstant(folder.path).read()
    return PacedClock(Timeline.real()) if kept is None else StandingClock(kept)


class StandingClock:
    """A Clock whose time does not pass: nobody waits by it."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Give the instant that it stands at, in UTC."""
        return self._at

    def sleep_until(self, at: datetime) -> None:
        """Return at once."""


def _vault(folder: Folder, card: Mapping[str, str], world: WorldFile | None, environ: Mapping[str, str]) -> Vault:
    if world is not None:
        from infra.one_machine.remote import RemoteVault
        from infra.one_machine.wire import Services

        return RemoteVault(Services(address=world.services, key=world.key))
    return _file_vault(folder, environ, int(card["seed"]) if card["broker"] == "simulator" else None)


def _file_vault(folder: Folder, environ: Mapping[str, str], seed: int | None = None) -> Vault:
    """Open a folder's vault, that of a simulated day of this `seed`."""
    from infra.one_machine.vault import FileVault, vault_key  # late: few commands read a secret

    if seed is None:
        return FileVault(folder.vault, key=vault_key(environ, locked=folder.locked()))
    from infra.simulated_day.environment import vault_key as simulated_key

    return FileVault(folder.vault, key=simulated_key(seed))


def _http(world: WorldFile | None) -> "Callable[[], BaseAdapter] | None":
    return None if world is None or world.broker is None else partial(_to_simulator, world.broker)


def _to_simulator(address: str) -> "BaseAdapter":
    from infra.one_machine.to_simulator import ToSimulator  # late: most commands call no broker

    return ToSimulator(address)


def _emulated(world: WorldFile, opened: ExitStack) -> tuple[DividedStore, Callable[[], Vault]]:
    from infra.one_machine.emulators import FIRESTORE_VARIABLE
    from infra.one_machine.secret_manager import connect
    from infra.running.clouds import PREFIX
    from shared.gcp.clock import SystemClock
    from shared.gcp.databases import Databases
    from shared.gcp.secret_vault import SecretVault

    opened.enter_context(in_environment({FIRESTORE_VARIABLE: world.firestore}))
    clock, chance = SystemClock(), SystemChance()
    databases = Databases(project=world.project, prefix=PREFIX, clock=clock, chance=chance)
    opened.enter_context(closing(databases))
    vault = opened.enter_context(
        closing(SecretVault(project=world.project, clock=clock, chance=chance, connect=lambda: connect(world.secrets)))
    )
    return divided.of_owner(databases.stores, TOPOLOGY), lambda: vault
