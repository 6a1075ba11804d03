"""The folder of one desk: what belongs where, and that it is never run as another desk than it was."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from zipfile import ZipFile

from infra.one_machine.database import is_written
from infra.one_machine.folder import LOCK
from infra.running.instant import FILE
from infra.running.plan import Plan
from infra.running.wanted import prepared, start_of
from infra.simulated_day.files import write_atomically
from infra.simulated_day.folder import card_of
from infra.simulated_day.problems import UserError
from shared.codec import dumps, loads
from shared.errors import Malformed
from shared.frozen import frozen

ROOT = Path(__file__).resolve().parents[2]
CARD = "desk.json"
_LOGS, _STORE, _VAULT = "logs", "state.db", "vault.bin"
PACE = ("speed", "starts", "network")
"""What a card also says of how a simulated day was started, where it is not the default; a later start may differ."""
_GONE = (
    "put the file back, with the two beside it if there are any (-wal, -shm); where it is lost, look at E*TRADE what "
    "is held and what works there, then begin in another folder with --state"
)
_MEND = "give `strategy up` the options of that system: it says what to write into the file"
_BEFORE = {LOCK, _LOGS, FILE, _STORE, _VAULT}
"""What lies in a new folder before its functions have a port and its broker an account."""


@contextmanager
def nothing_left(folder: Path) -> Iterator[None]:
    """Remove the new folder of a start that failed before anything ran, with what its functions were to begin with."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield
    except BaseException:
        if missing and folder.is_dir() and {one.name for one in folder.iterdir()} <= _BEFORE:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                for above in missing[1:]:
                    above.rmdir()
        raise


@frozen
class Folder:
    """Paths below a desk's state folder."""

    path: Path

    @property
    def store(self) -> Path:
        """Documents and undelivered messages."""
        return self.path / _STORE

    @property
    def status(self) -> Path:
        """How the desk of this run is, once it has begun."""
        return self.path / "status.json"

    @property
    def vault(self) -> Path:
        """Secrets, encrypted."""
        return self.path / _VAULT

    def locked(self) -> list[Path]:
        """List the vaults that the owner's key locks, here and in the folders beside this, its own first.

        The vault of a simulated day has a key of its own.
        """
        beside = sorted(self.path.parent.glob(f"*/{_VAULT}"), key=lambda one: (one != self.vault, one))
        return [one for one in beside if not _is_simulated(Folder(path=one.parent))]

    @property
    def calls(self) -> Path:
        """What the simulated broker was asked, for its next start."""
        return self.path / "broker-calls.jsonl"

    @property
    def history(self) -> Path:
        """Daily bars before the simulated day."""
        return self.path / "history.json"

    @property
    def looks(self) -> Path:
        """Recordings of what the scan looked at, where the owner wants any."""
        return self.path / "looks"

    @property
    def world(self) -> Path:
        """What the owner's commands must know of this run; for this user's eyes only."""
        return self.path / "world.json"

    @property
    def worlds(self) -> Path:
        """What the functions' processes must know of it, a file each."""
        return self.path / "worlds"

    def world_of(self, function: str) -> Path:
        """What the process of one function must know, with its own keys alone; for this user's eyes only."""
        return self.worlds / f"{function}.json"

    @property
    def time(self) -> Path:
        """The simulated time of this run, once it has begun."""
        return self.path / "time.json"

    @property
    def logs(self) -> Path:
        """One log for each function, and the desk's own."""
        return self.path / _LOGS

    def log(self, function: str) -> Path:
        """The log of one function."""
        return self.logs / f"{function}.jsonl"

    def unpacked(self, own: Path | None = None) -> dict[str, Path]:
        """Build every function's archive, unpack what is new, and give each function's folder.

        `own` has the owner's strategies; raises UserError for one that cannot be packed.
        """
        from infra.archives import ArchiveError, build_all, save  # late: only a start builds archives

        packed, homes = self.path / "archives", {}
        packed.mkdir(exist_ok=True)
        try:
            archives = build_all(ROOT, own)
        except ArchiveError as problem:
            remedy = "mend the file, or move it out of the folder of your strategies"
            raise UserError(str(problem), remedy=remedy) from None
        for archive in archives:
            home = packed / archive.name.removesuffix(".zip")
            if not home.exists():
                beside = Path(mkdtemp(prefix=".", dir=packed))
                with ZipFile(save(archive, packed)) as file:
                    file.extractall(beside)
                beside.rename(home)
            homes[archive.function] = home
        return homes

    def require_same(self, plan: Plan) -> None:
        """Refuse to go on with anything else than the folder was made with; raises UserError."""
        card = _card(plan)
        try:
            found = self.card()
        except UserError as damaged:
            remedy = f"write {dumps(card).decode()} into it, if that is what it was"
            raise UserError(damaged.what, remedy=remedy) from None
        if found is None:
            if card_of(self.path) is not None:
                what = f"{self.path} holds a run of `strategy demo`, `day` or `backtest`"
                raise UserError(what, remedy="name another folder with --state, or leave it out")
            if (broker := prepared(self.path)) not in (None, plan.broker):
                what = f"{self.path} was prepared by `strategy init` for E*TRADE's {broker}, and holds its key"
                remedy = f"start that with `{start_of(self.path, str(broker))}`, or name another folder with --state"
                raise UserError(what, remedy=remedy)
            return
        differ = [f"{name} {found.get(name)}" for name in card if found.get(name) != card[name]]
        if differ:
            what = f"{self.path} was made with {', '.join(differ)}"
            raise UserError(what, remedy="ask for the same, or name another folder with --state")

    def require_book(self) -> None:
        """Refuse a folder whose desk, which ran on this machine's own services, has lost its book; raises UserError."""
        if is_written(self.store):
            return
        what = (
            f"the book of this desk is gone: {self.store} is {'empty' if self.store.exists() else 'missing'}, and with "
            "it orders, positions and any halt; stops at the broker stay there, nothing else is looked after"
        )
        raise UserError(what, remedy=_GONE)

    def remember(self, plan: Plan) -> None:
        """Write down what desk this folder is, once it runs: a start that failed claims nothing."""
        write_atomically(self.path / CARD, dumps(_card(plan) | _pace(plan)) + b"\n")

    def forget(self) -> None:
        """Begin anew: drop what the simulated broker was asked, and the time."""
        for path in (self.calls, self.path / FILE):
            path.unlink(missing_ok=True)

    def card(self) -> dict[str, str] | None:
        """Read what the folder's desk is of, None where there is none; raises UserError for what is no card."""
        path = self.path / CARD
        if not path.exists():
            return None
        try:
            card = dict(loads(path.read_bytes()))
        except (Malformed, OSError, TypeError, ValueError):
            card = {}
        wanted = ("cloud", "broker", "mode", *(("seed",) if card.get("broker") == "simulator" else ()))
        if not all(isinstance(card.get(name), str) for name in wanted):
            raise UserError(f"{path} is damaged", remedy=_MEND)
        return card


def _is_simulated(folder: Folder) -> bool:
    with suppress(UserError):
        return (folder.card() or {}).get("broker") == "simulator"
    return False


def _card(plan: Plan) -> dict[str, str]:
    card: dict[str, str] = {"cloud": plan.cloud, "broker": plan.broker, "mode": plan.mode.value}
    if plan.broker == "simulator":
        card |= {"market": plan.market, "config": plan.config, "seed": str(plan.seed)}
        if plan.market != "generated":
            card["market_sha256"] = _hash_of(Path(plan.market))
    return card


def _pace(plan: Plan) -> dict[str, str]:
    if plan.broker != "simulator":
        return {}
    by_default = Plan(state=plan.state, environ={})
    said = {"speed": f"{plan.speed:g}", "starts": f"{plan.starts:%H:%M}", "network": plan.network.value}
    return {name: said[name] for name in PACE if getattr(plan, name) != getattr(by_default, name)}


def _hash_of(market: Path) -> str:
    """Name a market file's content: orders are not to be done again on another day that took its place."""
    return hashlib.sha256(market.read_bytes()).hexdigest() if market.is_file() else "no file"
