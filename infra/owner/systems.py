"""Which systems a command means that names none: what runs on this machine, else what lies below `state`.

What can go wrong: a command reaches a system that ended and not the one that trades; what runs cannot be looked up; a
folder that ended for good is taken for a system. What this promises: everything that runs is found first, by its entry
(infra.up.registry) or by the lock of a folder below `state`; what could not be looked at is told; an ended run or day
is never halted, because nothing would come of it.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.day.folder import card_of
from infra.day.hours import hours
from infra.day.problems import UserError
from infra.local.folder import share
from infra.up import registry
from infra.up.folder import CARD, Folder
from infra.up.instant import KeptInstant
from shared.domain.calendar import new_york_day
from shared.errors import ConfigError

STATES = Path("state")


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system: `state` is its folder, None where it runs and nobody can say where; `profile` is None where unknown.

    `name` tells it from others; `pid` is the process of one that runs.
    """

    name: str
    state: Path | None
    profile: str | None = None
    pid: int | None = None

    def folder(self) -> Path:
        """Give its folder; raises UserError that says how to stop it without one."""
        if self.state is None:
            remedy = f"name its folder with --state, or end it: kill {self.pid}"
            raise UserError(f"{self.name} runs, and where its folder is now is not known", remedy=remedy)
        return self.state


def running(troubles: list[str]) -> list[System]:
    """List what runs on this machine; what could not be looked up is added to `troubles`."""
    try:
        entries = registry.running()
    except ConfigError as problem:
        troubles += problem.problems
        entries = []
    found = [_of(entry) for entry in entries]
    known = {one.state.resolve() for one in found if one.state is not None}
    here = [path for path in _below_states() if path.resolve() not in known and _held_alone(path)]
    return [*found, *(System(name=str(path), state=path) for path in here)]


def stopped() -> list[System]:
    """List the systems below `state` that do not run."""
    return [System(name=str(path), state=path) for path in _below_states() if not _held_alone(path)]


def only() -> Path:
    """Give the folder of the only system that runs, or the only one below `state`; raises UserError."""
    found = running([])
    if len(found) > 1:
        raise UserError(f"{len(found)} systems run: {names(found)}", remedy="name one with --state")
    if found:
        return found[0].folder()
    resting = stopped()
    if len(resting) == 1:
        return resting[0].folder()
    raise none_or_many(resting)


def none_or_many(resting: list[System]) -> UserError:
    """Say that nothing runs, and which systems there are, if any."""
    if not resting:
        remedy = "start one with `strategy up`, name it with --state, or add --profile cloud for the one in the cloud"
        return UserError(f"no system of yours runs on this machine, and there is none in {STATES}", remedy=remedy)
    return UserError(f"no system runs, and there is more than one: {names(resting)}", remedy="name one with --state")


def names(systems: Iterable[System]) -> str:
    """Name systems in a sentence."""
    return ", ".join(one.name for one in systems)


def require_unended(state: Path) -> None:
    """Refuse the folder of a run or of a simulated day that is over and does not run; raises UserError."""
    remedy = "leave --state out to reach what runs, or name its folder"
    if not (state / CARD).exists() and card_of(state) is not None:
        what = f"{state} holds a run of `strategy demo` or `strategy day`, and it does not run any more"
        raise UserError(what, remedy=remedy)
    if _day_is_over(state):
        raise UserError(f"the simulated day of {state} is over, and it will not run any more", remedy=remedy)


def _day_is_over(state: Path) -> bool:
    """Tell whether a simulated day was played to its end; what cannot be read does not say so."""
    with suppress(UserError):
        card, at = Folder(path=state).card(), KeptInstant(state).read()
        simulated = card is not None and card["broker"] == "simulator"
        return simulated and at is not None and at >= hours(new_york_day(at)).ends
    return False


def _of(entry: registry.Running) -> System:
    where = entry.state or (f"{entry.began_in} (moved)" if entry.began_in else f"the system of process {entry.pid}")
    return System(name=str(where), state=entry.state, profile=entry.cloud or None, pid=entry.pid)


def _below_states() -> list[Path]:
    return sorted(path.parent for path in STATES.glob(f"*/{CARD}"))


def _held_alone(folder: Path) -> bool:
    """Tell whether a process has this folder for itself now; one that cannot be asked may."""
    with suppress(ConfigError):
        let_go = share(folder)
        if let_go is not None:
            let_go()
        return let_go is None
    return True
