"""Commands that name no system: what runs is found and halted, whatever folder the command is given in."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.cli.exits import BAD_INPUT, NOT_RUNNING
from infra.one_machine.folder import FolderLock
from infra.one_machine.sqlite_store import SqliteStore
from infra.one_machine.world_file import WorldFile
from infra.running import registry
from infra.running.instant import KeptInstant
from infra.running.plan import Plan
from shared.errors import ConfigError
from shared.usecases.control import control
from tests.operations.desks import answer, refused, strategy, write_card
from tests.operations.ended import hold, kill_one

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[[Path], Path]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a registry of its own and an empty folder to be in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv(registry.VARIABLE, str(tmp_path / "running"))
    return tmp_path / "running"


@pytest.fixture
def start(desk: Path, tmp_path: Path) -> Iterator[Start]:
    """Give what makes a desk's folder one that runs, as far as anybody can see from outside."""
    with ExitStack() as opened:

        def start(folder: Path) -> Path:
            shutil.copytree(desk, folder)
            WorldFile(cloud="local", push_key="invented").write(folder / "world.json")
            opened.callback(FolderLock(folder).release)
            opened.callback(registry.register(Plan(state=folder, environ={}), folder))
            return folder

        yield start


def _state(folder: Path) -> str:
    store = SqliteStore(folder / "state.db")
    said = control.standing(store)
    store.close()
    assert said is not None
    return str(said.state)


@pytest.mark.parametrize(("project", "said"), [("", False), ("my-desk-1", True)])
def test_the_cloud_is_named_to_who_has_one(start: Start, tmp_path: Path, project: str, said: bool) -> None:
    """That a stack in the cloud was not reached is said where a project is known, and to nobody else."""
    start(tmp_path / "one")
    assert ("--profile cloud" in strategy("halt", GOOGLE_CLOUD_PROJECT=project).stderr) is said


def test_a_halt_reaches_what_runs_and_not_what_ended(desk: Path, start: Start, tmp_path: Path) -> None:
    """With a desk at rest below state/ and another that runs elsewhere, an unnamed halt reaches the one that runs."""
    resting = Path(shutil.copytree(desk, tmp_path / "here" / "state" / "simulator-paper"))
    running = start(tmp_path / "elsewhere")
    done = strategy("halt")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(f"The trading state of {running} (live) is HALTED")
    assert (_state(running), _state(resting)) == ("HALTED", "ACTIVE")


@pytest.mark.parametrize(
    "words", [("close", "--all"), ("logout", "--yes"), ("config", "set", "limits.positions_max", "4"), ("orders",)]
)
def test_nothing_is_done_to_another_system_than_this_folder_s(
    desk: Path, start: Start, tmp_path: Path, words: tuple[str, ...]
) -> None:  # fmt: skip
    """Where this folder's system rests and another runs elsewhere, both are named and neither is touched."""
    resting = Path(shutil.copytree(desk, tmp_path / "here" / "state" / "simulator-paper"))
    running = start(tmp_path / "elsewhere")
    books = [(folder / "state.db").read_bytes() for folder in (resting, running)]
    done = strategy(*words)
    assert done.exit_code == BAD_INPUT
    for part in ("simulator-paper of this folder does not run", f"{running} does", "name one with --state"):
        assert part in done.stderr
    assert [(folder / "state.db").read_bytes() for folder in (resting, running)] == books
    assert strategy("orders", "--state", str(running)).exit_code == 0


def test_what_runs_here_is_meant_beside_one_that_rests_here(desk: Path, start: Start, tmp_path: Path) -> None:
    """Of two systems of this folder the one that runs is reached."""
    shutil.copytree(desk, tmp_path / "here" / "state" / "simulator-live")
    running = start(tmp_path / "here" / "state" / "simulator-paper")
    assert strategy("halt", "--state", str(running)).exit_code == 0
    assert strategy("resume", "--reason", "seen").exit_code == 0
    assert _state(running) == "ACTIVE"


def test_two_that_run_are_both_halted_and_one_resumes(start: Start, tmp_path: Path) -> None:
    """Both are named with their result; an unnamed resume changes nothing and names them, a named one resumes."""
    both = [start(tmp_path / name) for name in ("one", "two")]
    results = answer("halt")
    assert {one["system"] for one in results} == {str(folder) for folder in both}
    assert {one["control"]["state"] for one in results} == {"HALTED"}
    refused(strategy("resume", "--reason", "seen"), "2 systems run", *map(str, both), "nothing was changed", "--state")
    assert [_state(folder) for folder in both] == ["HALTED", "HALTED"]
    assert answer("resume", "--reason", "seen", "--state", str(both[0]))["state"] == "ACTIVE"
    assert [one["state"] for one in (one["control"] for one in answer("reduce"))] == ["REDUCE_ONLY", "HALTED"]
    shown = strategy("status")
    assert [" ".join(shown.stdout.split()).count(f"System {folder} ") for folder in both] == [1, 1]
    assert all(f'\n  strategy resume --reason "..." --state {folder}\n' in shown.stdout for folder in both[1:])
    refused(strategy("orders"), "2 systems run")


@pytest.mark.parametrize("words", [("halt",), ("reduce",), ("status",), ("halt", "--state", "desk")])
def test_a_profile_that_does_not_exist_reaches_nothing(
    start: Start, tmp_path: Path, words: tuple[str, ...]
) -> None:  # fmt: skip
    """Who mistypes the cloud's profile is refused, and nothing on this machine is halted in its place."""
    running = start(tmp_path / "one")
    refused(strategy(*words, "--profile", "Cloud"), "there is no profile 'Cloud'", "choose local, emulators, cloud")
    assert _state(running) == "ACTIVE"


def test_one_that_fails_stops_no_other(start: Start, tmp_path: Path) -> None:
    """A system whose documents cannot be opened is told as failed, with another exit code, and the other is halted."""
    good, bad = start(tmp_path / "good"), start(tmp_path / "bad")
    (bad / "state.db").write_bytes(b"no database " * 100)
    done = strategy("halt")
    assert done.exit_code == BAD_INPUT
    assert f"FAILED for {bad}: NOTHING IS HALTED" in done.stderr
    assert (_state(good), str(good) in done.stdout) == ("HALTED", True)
    told = {one["system"]: one for one in json.loads(strategy("reduce", "--json").stdout)}
    assert (told[str(good)]["problem"], told[str(bad)]["control"]) == (None, None)


def test_one_that_runs_over_emulators_is_asked_there(start: Start, tmp_path: Path) -> None:
    """Which cloud a system runs over is in its entry: one whose emulators are gone fails, and the other halts."""
    good = start(tmp_path / "good")
    folder = tmp_path / "emulated"
    folder.mkdir()
    lock = FolderLock(folder)
    take_back = registry.register(Plan(state=folder, environ={}, cloud="emulators"), folder)
    done = strategy("halt")
    take_back()
    lock.release()
    assert (done.exit_code, _state(good)) == (BAD_INPUT, "HALTED")
    assert f"FAILED for {folder}" in done.stderr


def test_a_folder_that_moved_is_found_where_it_is(start: Start, tmp_path: Path) -> None:
    """A running system whose folder was moved is halted in its new place, also when another stands in the old one."""
    start(tmp_path / "before").rename(tmp_path / "after")
    assert answer("halt")[0]["system"] == str(tmp_path / "after")
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "lock").touch()
    assert answer("reduce")[0]["system"] == str(tmp_path / "after")
    assert _state(tmp_path / "after") == "HALTED"


def test_a_folder_that_cannot_be_found_is_told_with_its_process(start: Start, tmp_path: Path) -> None:
    """Where nobody knows a running system's folder, it counts as not halted, and it is said how to end it."""
    shutil.rmtree(start(tmp_path / "gone"))
    done = strategy("halt")
    assert done.exit_code == BAD_INPUT
    assert f"kill {os.getpid()}" in done.stderr


@pytest.mark.parametrize(("stopped", "said"), [(40, "40 AIG (stop 50.42 for all 40)"), (0, "40 AIG (NO STOP)")])
def test_a_killed_system_is_named_until_the_owner_lets_it_be(
    desk: Path, place: Path, stopped: int, said: str
) -> None:  # fmt: skip
    """After a kill it is not taken for running; a status says what it held, over what a stop stands, and what to do."""
    hold(desk, 40, stopped)
    write_card(desk, broker="production", mode="paper")
    kill_one(desk, "production")
    remedy = f"`strategy halt --state {desk}`"
    assert registry.running() == []
    refused(strategy("halt"), "NOTHING IS HALTED: no system of yours runs", "ENDED WITHOUT BEING STOPPED, as", remedy)
    for words in (("status",), ("status", "--state", str(desk)), ("status", "--seen")):
        shown = " ".join(strategy(*words).stdout.split())
        assert f"by its books of the paper account: {said}" in shown
        assert "KILLED it ended without being stopped; on paper nothing fills and no stop works until it runs" in shown
        assert f"To start it: strategy up --broker production --mode paper --state {desk} To forget this:" in shown
        assert "Closing AIG: you asked for the sale" in shown
        assert "E*TRADE's own page" not in shown
    assert list(place.iterdir()) == []
    refused(strategy("status"), "no system of yours runs")


def test_a_killed_simulated_day_is_told_whole(desk: Path) -> None:
    """It is named with what it held, whether a stop stands, which time is simulated, and its money."""
    hold(desk, 40, 0)
    KeptInstant(desk).write(datetime(2013, 10, 7, 14, 8, tzinfo=UTC))
    kill_one(desk)
    shown = " ".join(strategy("status").stdout.split())
    assert "by its books of the paper account: 40 AIG (NO STOP). It was started at " in shown
    assert "New York, real time, and stands at 2013-10-07 10:08:00, simulated time" in shown
    assert "Day's profit not known: no fresh price of AIG" in shown
    (seen,) = answer("status")
    assert (seen["killed"]["state"], seen["killed"]["held"][0]["quantity"]) == (str(desk), 40)


def test_a_killed_system_that_is_started_again_is_killed_no_more(desk: Path, place: Path) -> None:
    """The next start in its folder takes the entry away, in which nothing is left after its orderly end."""
    kill_one(desk, "production")
    lock = FolderLock(desk)
    take_back = registry.register(Plan(state=desk, environ={}), desk)
    assert [one.state for one in registry.killed()] == [desk]
    registry.forget_ended(desk)
    take_back()
    lock.release()
    assert list(place.iterdir()) == []


def test_a_killed_system_whose_folder_is_gone_is_still_named(desk: Path, place: Path) -> None:
    """At E*TRADE shares may be held all the same, and the owner reads that; of a simulated day nothing is left."""
    kill_one(desk, "production")
    shutil.rmtree(desk)
    done = strategy("status")
    assert done.exit_code == BAD_INPUT
    assert f"{desk} (moved) ended without being stopped: its broker was production" in done.stderr
    assert "its folder is not there any more. look on E*TRADE's own page" in done.stderr
    (entry,) = place.iterdir()
    entry.write_text(entry.read_text().replace("production", "simulator"))
    assert registry.killed() == []
    assert list(place.iterdir()) == []


def test_an_entry_goes_with_its_system_and_is_its_user_s_alone(desk: Path, place: Path) -> None:
    """What was written down is for its user's eyes only, and is gone when the system ends by itself."""
    lock = FolderLock(desk)
    take_back = registry.register(Plan(state=desk, environ={}), desk)
    (entry,) = place.iterdir()
    assert (place.stat().st_mode & 0o777, entry.stat().st_mode & 0o777) == (0o700, 0o600)
    take_back()
    lock.release()
    assert list(place.iterdir()) == []


def test_a_damaged_entry_of_what_runs_hides_nothing(start: Start, place: Path, tmp_path: Path) -> None:
    """An entry that is held and cannot be read is told with its process, and what else runs is halted."""
    start(tmp_path / "one")
    (entry,) = place.iterdir()
    entry.write_text("{")
    good = start(tmp_path / "two")
    done = strategy("halt")
    assert (done.exit_code, _state(good)) == (BAD_INPUT, "HALTED")
    assert f"the system of process {os.getpid()} runs" in done.stderr


def test_only_what_rests_is_no_success(desk: Path, tmp_path: Path) -> None:
    """A halt of the only desk there is, which does not run, is written and told, with an exit code of its own."""
    resting = Path(shutil.copytree(desk, tmp_path / "here" / "state" / "one"))
    done = strategy("halt")
    assert (done.exit_code, _state(resting)) == (NOT_RUNNING, "HALTED")
    assert "Nothing runs here" in done.stderr
    shutil.copytree(desk, tmp_path / "here" / "state" / "two")
    refused(strategy("halt"), "NOTHING IS HALTED: no system runs, and there is more than one", "Ctrl-C")


def test_a_desk_that_runs_unwritten_is_found_by_its_lock(desk: Path, tmp_path: Path) -> None:
    """A desk below state/ that runs and has no entry, as of another home folder, is halted with the others."""
    here = tmp_path / "here" / "state" / "one"
    shutil.copytree(desk, here)
    shutil.copytree(desk, tmp_path / "here" / "state" / "two")
    lock = FolderLock(here)
    done = strategy("halt")
    lock.release()
    assert (done.exit_code, done.stdout.count("HALTED")) == (0, 1)
    assert "state/one (live)" in done.stdout


def test_the_only_system_is_not_failed_to_be_halted_once_its_day_is_over(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Where a day that is over is all there is, a halt that names none says the same as one that names it."""
    (desk / "instant").write_text("2013-10-07T20:20:00+00:00\n")
    shutil.copytree(desk, tmp_path / "here" / "state" / "one")
    monkeypatch.chdir(tmp_path / "here")
    refused(strategy("halt"), "NOTHING IS HALTED: the simulated day of state/one is over and runs no more", "OTHER")


@pytest.mark.parametrize("word", ["halt", "reduce"])
def test_what_has_ended_is_refused(desk: Path, tmp_path: Path, word: str) -> None:
    """The folder of a run of `demo` or `day`, and that of a simulated day that is over, are refused with a sentence."""
    (desk / "instant").write_text("2013-10-07T20:20:00+00:00\n")
    over = strategy(word, "--state", str(desk))
    refused(over, "the simulated day of", "is over and runs no more", "strategy report --state", "--state OTHER")
    assert "E*TRADE" not in over.stderr
    run = Path(shutil.copytree(desk, tmp_path / "run"))
    (run / "desk.json").unlink()
    (run / "run.json").write_text('{"market":"generated","config":"demo","seed":1,"status":"finished"}')
    refused(strategy(word, "--state", str(run)), "strategy demo", "does not run any more", "strategy report")
    assert (_state(desk), _state(run)) == ("ACTIVE", "ACTIVE")


def test_a_system_that_cannot_be_written_down_does_not_start(desk: Path, place: Path) -> None:
    """Where the place of the entries is no folder, the start is refused with the variable that names another."""
    place.write_text("a file")
    FolderLock(desk).release()
    with pytest.raises(ConfigError) as refusal:
        registry.register(Plan(state=desk, environ={}), desk)
    assert registry.VARIABLE in refusal.value.problems[0]


def test_what_runs_is_kept_where_the_user_s_state_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries are below XDG_STATE_HOME, or below the home folder where that is unset or no whole path."""
    monkeypatch.delenv(registry.VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert registry.place() == tmp_path / "state" / "etrade-strategy" / "running"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert registry.place() == tmp_path / ".local" / "state" / "etrade-strategy" / "running"
