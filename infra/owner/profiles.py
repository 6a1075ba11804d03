"""The three places where a desk may run, behind one switch: this machine, Google's emulators on it, Google Cloud.

What can go wrong: a command reaches another desk than the owner means, writes into the vault's file behind the back of
a running desk, or takes the wall clock for a simulated time. What this promises: a folder that is no desk is refused; a
running desk's vault is asked through the desk itself, whose file nobody else writes; the instants are the desk's own.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from infra.day.environment import vault_key as simulated_key
from infra.day.problems import UserError
from infra.local.folder import FolderHeld, FolderLock
from infra.local.process_world import WorldFile
from infra.local.remote import RemoteVault
from infra.local.sqlite_store import SqliteStore
from infra.local.timeline import PacedClock, Timeline
from infra.local.vault import FileVault, vault_key
from infra.local.wire import Services
from infra.up.clouds import in_environment
from infra.up.folder import CARD, Folder
from infra.up.instant import KeptInstant
from shared.gcp.chance import SystemChance
from shared.gcp.journal import CloudJournal
from shared.gcp.no_bus import NoBus
from shared.ports import Clock, Store, Vault
from shared.usecases.desk import Desk

PROFILES = ("local", "emulators", "cloud")
STATES = Path("state")
ACTOR = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """A desk as the owner reaches it; `sign_in` is the address of its start page, None where nobody serves it.

    `mode` is paper or live, None where the owner's machine does not know it.
    """

    desk: Desk
    vault: Vault
    sign_in: str | None
    operator: str
    running: bool
    mode: str | None


@contextmanager
def reach(profile: str, state: Path | None, environ: Mapping[str, str]) -> Iterator[Hand]:
    """Reach a desk; raises UserError and ConfigError, each with what to do instead."""
    if profile not in PROFILES:
        raise UserError(f"there is no profile {profile!r}", remedy=f"choose {', '.join(PROFILES)}")
    if profile == "cloud":
        with _in_the_cloud(environ) as hand:
            yield hand
        return
    folder = Folder(path=state if state is not None else _only_desk())
    card = folder.card()
    if card is None:
        raise UserError(f"{folder.path} holds no desk", remedy="start one with `strategy up`, or name it with --state")
    if card["cloud"] != profile:
        raise UserError(f"{folder.path} runs over {card['cloud']}", remedy=f"ask with --profile {card['cloud']}")
    with _on_this_machine(folder, card, environ) as hand:
        yield hand


@contextmanager
def _on_this_machine(folder: Folder, card: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[Hand]:
    with ExitStack() as opened:
        try:
            opened.callback(FolderLock(folder.path, shared=True).release)  # held, so that no desk starts meanwhile
            running = False
        except FolderHeld:
            running = True
        if not running and card["cloud"] == "emulators":
            raise UserError(
                f"the desk of {folder.path} is not running, and what its emulators held ended with them",
                remedy="start it with `strategy up --cloud emulators`",
            )
        world = WorldFile.read(folder.world) if running else None
        clock = _clock(folder, card, world)
        if world is not None and world.cloud == "emulators":
            store, vault = _emulated(world, opened)
        else:
            store = opened.enter_context(closing(SqliteStore(folder.store, durable=True)))
            vault = _vault(folder, card, world, environ)
        yield Hand(
            desk=_desk(clock, store, project="local"), vault=vault, running=running,
            sign_in=None if world is None else world.sign_in, operator="" if world is None else world.operator,
            mode=card.get("mode"),
        )  # fmt: skip


@contextmanager
def _in_the_cloud(environ: Mapping[str, str]) -> Iterator[Hand]:
    from shared.gcp.clock import SystemClock
    from shared.gcp.firestore_store import FirestoreStore
    from shared.gcp.secret_vault import SecretVault
    from shared.wiring.cloud import place

    project, database = place(environ)
    clock, chance = SystemClock(), SystemChance()
    with (
        closing(FirestoreStore(project=project, database=database, clock=clock, chance=chance)) as store,
        closing(SecretVault(project=project, clock=clock, chance=chance)) as vault,
    ):
        yield Hand(
            desk=_desk(clock, store, project=project), vault=vault, running=True,
            sign_in=environ.get("STRATEGY_SIGN_IN_URL") or None,
            operator=environ.get("STRATEGY_OPERATOR", "owner"), mode=environ.get("STRATEGY_MODE"),
        )  # fmt: skip


def _desk(clock: Clock, store: Store, *, project: str) -> Desk:
    """Give the owner a desk of their own: what they do is announced by the functions."""
    journal = CloudJournal(ACTOR, project=project, output=StringIO())
    return Desk(actor=ACTOR, clock=clock, chance=SystemChance(), store=store, bus=NoBus(), journal=journal)


def _clock(folder: Folder, card: Mapping[str, str], world: WorldFile | None) -> Clock:
    """Give the desk's time; that of a simulated desk stands still while it is not running."""
    if world is not None:
        return PacedClock(world.timeline)
    if card["broker"] != "simulator":
        return PacedClock(Timeline.real())
    return StandingClock(KeptInstant(folder.path).read() or datetime.now(UTC))


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
        return RemoteVault(Services(address=world.services, key=world.key))
    simulated = card["broker"] == "simulator"
    return FileVault(folder.vault, key=simulated_key(int(card["seed"])) if simulated else vault_key(environ))


def _emulated(world: WorldFile, opened: ExitStack) -> tuple[Store, Vault]:
    from infra.local.emulators import FIRESTORE_VARIABLE
    from infra.local.secret_manager import connect
    from shared.gcp.clock import SystemClock
    from shared.gcp.firestore_store import FirestoreStore
    from shared.gcp.secret_vault import SecretVault

    opened.enter_context(in_environment({FIRESTORE_VARIABLE: world.firestore}))
    clock, chance = SystemClock(), SystemChance()
    store = opened.enter_context(closing(FirestoreStore(project=world.project, clock=clock, chance=chance)))
    vault = SecretVault(project=world.project, clock=clock, chance=chance, connect=lambda: connect(world.secrets))
    return store, opened.enter_context(closing(vault))


def _only_desk() -> Path:
    """Give the one desk below `state`; raises UserError when there is none or more than one."""
    desks = sorted(path.parent for path in STATES.glob(f"*/{CARD}"))
    if len(desks) == 1:
        return desks[0]
    if not desks:
        raise UserError(f"there is no desk in {STATES}", remedy="start one with `strategy up`, or name it with --state")
    names = ", ".join(map(str, desks))
    raise UserError(f"there is more than one desk: {names}", remedy="name one with --state")
