"""Which systems a command means that names none: what runs on this machine, else what lies below `state`.

What can go wrong: a command reaches a system that ended and not the one that trades; what runs cannot be looked up; a
folder that ended for good is taken for a system; one was killed, and nobody hears of what it held. What this promises:
everything that runs is found first, by its entry (`running.registry`) or by the lock of a folder below `state`; what
could not be looked at is told; an ended run or day is never halted, because nothing would come of it; what was killed
is named until it runs again or the owner lets it be; where nothing runs it is said where that was looked up, because
the systems of another user or HOME are not seen.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shlex import quote

from infra.one_machine.folder import share
from infra.running import registry
from infra.running.ended import DayIsOver, Ended
from infra.running.folder import CARD, PACE, Folder
from infra.running.instant import KeptInstant
from infra.running.wanted import BROKERS, STATES, prepared, start_of, system_of
from infra.simulated_day.folder import BACK_TEST, FINISHED, card_of
from infra.simulated_day.hours import hours
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day
from shared.errors import ConfigError
from shared.frozen import frozen

_ANOTHER = "leave --state out to reach what runs, or name the folder that `strategy up` was given"
LET_BE = "`strategy status --seen` names it no more"
START_FIRST = "start it first, and repeat this command once you are signed in"


@frozen
class System:
    """One system: `state` is its folder, None where it runs and nobody can say where; `profile` is None where unknown.

    `name` tells it from others; `pid` is the process of one that runs; `left` is the entry of one that was killed, or
    stopped with shares held.
    """

    name: str
    state: Path | None
    profile: str | None = None
    pid: int | None = None
    left: registry.Entry | None = None

    @property
    def killed(self) -> registry.Entry | None:
        """The entry of one that ended without being stopped."""
        return None if self.left is None or self.left.stopped else self.left

    def folder(self) -> Path:
        """Give its folder; raises UserError that says what to do without one."""
        if self.state is None and self.left is not None:
            what = f"its broker was {self.left.broker}, and its folder is not there any more"
            raise UserError(what, remedy=f"look on E*TRADE's own page what is held; {LET_BE}")
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


def seen(troubles: list[str]) -> list[System]:
    """List what was killed, what was stopped with shares held, and behind it what runs, or else what rests here.

    `troubles` are as for `running`.
    """
    found = running(troubles) or stopped()
    marks = {one.state or Path(one.began_in): one for one in ended()}
    marked = [replace(one, left=marks.pop(one.state.resolve(), None)) if one.state else one for one in found]
    every = [*(replace(_of(one), left=one, pid=None) for one in marks.values()), *marked]
    return sorted(every, key=lambda one: (one.left is None, one.killed is None))


def ended() -> list[registry.Entry]:
    """List what was killed, or stopped with shares held, and does not run now; nothing where no one can tell."""
    with suppress(ConfigError):
        return [one for one in registry.ended() if one.state is None or not _held_alone(one.state)]
    return []


def killed() -> list[registry.Entry]:
    """List of these what ended without being stopped."""
    return [one for one in ended() if not one.stopped]


def ended_at(state: Path) -> registry.Entry | None:
    """Give the entry of what ended so in a folder, None where nothing did."""
    return next((one for one in ended() if one.state == state.resolve()), None)


def killed_at(state: Path) -> registry.Entry | None:
    """Give the entry of what was killed in a folder, None where nothing was."""
    found = ended_at(state)
    return None if found is None or found.stopped else found


def on(profile: str, name: str) -> str:
    """Give what a command carries that is to reach this system from any folder."""
    if profile == "cloud":
        return "--profile cloud"
    where = f"--state {quote(str(Path(name).resolve()))}"
    return where if profile == "local" else f"--profile {profile} {where}"


def only() -> Path:
    """Give the folder of the only system that runs, or the only one below `state`; raises UserError.

    Where one rests here and the one that runs is of another folder, neither is taken: either could be meant.
    """
    found = running([])
    if len(found) > 1:
        raise UserError(f"{len(found)} systems run: {names(found)}", remedy="name one with --state")
    if found:
        there = found[0].folder()
        if there in {one.resolve() for one in _below_states()}:
            return there
        if own := [one for one in stopped() if day_over(one.folder()) is None]:
            what = f"{names(own)} of this folder does not run, and {there} does: either could be meant"
            raise UserError(what, remedy="name one with --state")
        return there
    resting = stopped()
    if len(resting) == 1:
        return resting[0].folder()
    raise none_or_many(resting)


def only_or_prepared() -> Path:
    """Give the folder that `only` gives, and where there is none the one that `strategy init` prepared."""
    waiting = unstarted()
    return waiting[0] if len(waiting) == 1 and not running([]) and not stopped() else only()


def unstarted() -> list[Path]:
    """List the folders that `strategy init` prepared here and whose systems never ran."""
    return [one for one in map(system_of, BROKERS) if awaited(one) is not None]


def awaited(state: Path) -> str | None:
    """Name the broker of a folder that `strategy init` prepared and whose system never ran, None for any other."""
    ran = (state / CARD).exists() or Folder(path=state).logs.exists()
    return None if ran else prepared(state)


def none_or_many(resting: list[System]) -> UserError:
    """Say that nothing runs, and which systems there are, if any."""
    unseen = where()
    if gone := [one.began_in for one in killed()]:
        unseen += f"; ENDED WITHOUT BEING STOPPED, as `strategy status` tells: {', '.join(gone)}"
    if not resting:
        starts = [f"`{start_of(one, str(awaited(one)))}`" for one in unstarted()] or ["`strategy up`"]
        remedy = (
            f"start one with {' or '.join(starts)}, name it with --state, or add --profile cloud for the one in the "
            "cloud"
        )
        what = f"no system of yours runs on this machine, and there is none in {STATES}: {unseen}"
        return UserError(what, remedy=remedy)
    what = f"no system runs, and there is more than one: {names(resting)}: {unseen}"
    return UserError(what, remedy="name one with --state")


def where() -> str:
    """Say where what runs was looked up, and what is not seen from here."""
    try:
        folder = str(registry.place())
    except ConfigError as problem:
        return "; ".join(problem.problems)
    nothing = f"no running system of user {registry.user()} is registered in {folder}"
    return f"{nothing}; a system of another user or HOME is not seen"


def names(systems: Iterable[System]) -> str:
    """Name systems in a sentence."""
    return ", ".join(one.name for one in systems)


def require_unended(state: Path) -> None:
    """Refuse the folder of a run or of a simulated day that is over and does not run; raises UserError."""
    if not (state / CARD).exists() and card_of(state) is not None:
        run = not_a_system(state)
        raise Ended(run.what, remedy=run.remedy)
    if (over := day_over(state)) is not None:
        raise over


def resting(state: Path, undone: str, remedy: str) -> UserError:
    """Say that a system does not run and what is left undone, with the command that starts it again."""
    start = again(state)
    return UserError(f"{state} does not run, so {undone}", remedy=remedy, commands=() if start is None else (start,))


def not_a_system(state: Path) -> UserError:
    """Say what a folder is that holds no desk, and which command is right instead."""
    begin = f"`strategy up --state {state}` begins a new one there"
    if (broker := awaited(state)) is not None:
        what = f"`strategy init` prepared {state} for a system at E*TRADE's {broker}, and it was not started yet"
        return UserError(what, remedy=f"start it once: `{start_of(state, broker)}`")
    if not state.exists():
        return UserError(f"{state} does not exist", remedy=f"{_ANOTHER}; {begin}")
    if not state.is_dir():
        return UserError(f"{state} is a file and holds no system", remedy=_ANOTHER)
    run = card_of(state)
    if run is not None:
        ended = "it does not run any more" if run.status == FINISHED else "it runs, or was interrupted"
        of = "of `strategy backtest`" if run.kind == BACK_TEST else "of `strategy demo` or `strategy day`"
        what = f"{state} holds a run {of}, and no system of `strategy up`; {ended}"
        looks = f"`strategy report` and `trades` show it with --state {state}"
        if run.kind != BACK_TEST:
            looks += ", and so do `orders`, `positions`, `explain`, `why` and `notices`"
        return UserError(what, remedy=f"{looks}; {_ANOTHER}")
    below = sorted(path.parent.name for path in state.glob(f"*/{CARD}"))
    if below:
        what = f"{state} is no system's folder; in it there is {', '.join(below)}"
        return UserError(what, remedy=f"name that: --state {state / below[0]}")
    return UserError(f"{state} holds no system", remedy=f"{_ANOTHER}; where it is empty, {begin}")


def again(state: Path) -> str | None:
    """Give the command that starts a system again where it stopped, as it was started and from any folder.

    None for a day that is over or an unread folder.
    """
    with suppress(UserError):
        card = Folder(path=state).card()
        if card is not None and day_over(state) is None:
            made_with = ("market", "config", "seed", *PACE) if card["broker"] == "simulator" else ()
            given = [f"--{name} {quote(card[name])}" for name in ("broker", "mode", *made_with) if name in card]
            return " ".join(("strategy up", *given, f"--state {quote(str(state.resolve()))}"))
    return None


def broker_of(state: Path | None) -> str | None:
    """Name the broker of a system in a folder, None where that cannot be read."""
    with suppress(UserError):
        card = None if state is None else Folder(path=state).card()
        return None if card is None else card["broker"]
    return None


def day_over(state: Path) -> DayIsOver | None:
    """Say of a simulated day that it was played to its end; None where it was not, or nobody can tell."""
    with suppress(UserError):
        card, at = Folder(path=state).card(), KeptInstant(state).read()
        simulated = card is not None and card["broker"] == "simulator"
        if simulated and at is not None and at >= hours(new_york_day(at)).ends:
            return DayIsOver(state)
    return None


def _of(entry: registry.Entry) -> System:
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
