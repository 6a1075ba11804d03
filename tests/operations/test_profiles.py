"""The switch between the places: which desk a command reaches, and what it says when there is none."""

import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.one_machine.folder import FolderLock, share
from infra.operations.profiles import reach
from infra.running import registry
from infra.running.folder import Folder
from infra.running.plan import Plan
from infra.simulated_day.problems import UserError
from shared.errors import ConfigError
from shared.topology import SIGN_IN_KEY
from shared.usecases.base.pins import pinned
from tests.operations.desks import answer, refused, strategy, write_card


def test_without_a_desk_a_command_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no desk is, a command says so and names the command that starts one."""
    monkeypatch.chdir(tmp_path)
    refused(strategy("status"), "no system of yours runs", "strategy up")
    refused(strategy("status", "--state", str(tmp_path)), "holds no system", "strategy up")


def test_where_nothing_runs_the_registry_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks under another HOME or user reads where it was looked up, and a halt there is no success."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(registry.VARIABLE)
    here = {"XDG_STATE_HOME": str(tmp_path / "other")}
    for word in ("status", "halt", "reduce"):
        done = strategy(word, **here)
        refused(done, f"no running system of user {registry.user()} is registered in", str(tmp_path / "other"))
        assert "a system of another user or HOME is not seen" in done.stderr


def test_a_name_that_is_no_system_says_what_it_is(desk: Path, tmp_path: Path) -> None:
    """A folder that is not there, a file, a folder of systems and a run of `demo` are each told as what they are."""
    nowhere, file, run = tmp_path / "nowhere", tmp_path / "file", tmp_path / "run"
    file.touch()
    run.mkdir()
    (run / "run.json").write_text('{"market":"generated","config":"demo","seed":1,"status":"finished"}')
    for word in ("status", "orders", "reduce", "login", "token"):
        refused(strategy(word, "--state", str(nowhere)), "does not exist", f"strategy up --state {nowhere}")
        refused(strategy(word, "--state", str(file)), "is a file", "leave --state out")
        refused(strategy(word, "--state", str(desk.parent)), "in it there is desk", f"--state {desk}")
        said = (
            ("holds no state",) if word == "orders" else ("strategy demo", "strategy report", "does not run any more")
        )
        refused(strategy(word, "--state", str(run)), *said)
    assert not nowhere.exists()
    with pytest.raises(UserError, match="holds a run of"):
        Folder(path=run).require_same(Plan(state=run, environ={}))


def test_a_desk_that_does_not_run_still_has_its_owner(desk: Path) -> None:
    """The account that was chosen can be looked up: the operator is the environment's, as in the cloud."""
    for given, operator in (({}, "owner"), ({"STRATEGY_OPERATOR": "ann"}, "ann")):
        with reach("local", desk, given) as hand:
            assert not hand.running
            assert hand.operator == operator
            assert not pinned(hand.desk.store, hand.operator, hand.account_id).known


@pytest.mark.parametrize("words", [("login",), ("close", "--all"), ("reconcile",)])
def test_a_day_that_is_over_is_not_to_be_started_again(desk: Path, words: tuple[str, ...]) -> None:
    """What nobody will run any more is told as that, and not with the advice to start it."""
    (desk / "instant").write_text("2013-10-07T20:20:00+00:00\n")
    done = strategy(*words, "--state", str(desk))
    refused(done, "is over and runs no more", "another day begins in another folder")


def test_the_only_desk_is_found_and_several_are_not_guessed(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One desk below state/ needs no name; of two, none is taken before it is named, and a look shows both."""
    monkeypatch.chdir(desk.parent)
    (desk.parent / "state").mkdir()
    shutil.copytree(desk, desk.parent / "state" / "one")
    assert [(one["name"], one["running"]) for one in answer("status")] == [("state/one", False)]
    desk.rename(desk.parent / "state" / "two")
    refused(strategy("orders"), "more than one: state/one, state/two", "--state")
    assert [one["name"] for one in answer("status")] == ["state/one", "state/two"]
    assert answer("status", "--state", "state/one")["open_positions"] == 0


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--profile", "moon"), ("there is no profile 'moon'", "local, emulators, cloud")),
        (("--profile", "emulators"), ("runs over local", "--profile local")),
        (("--profile", "cloud"), ("GOOGLE_CLOUD_PROJECT is not set",)),
    ],
)
def test_a_wrong_profile_is_refused(desk: Path, words: tuple[str, ...], parts: tuple[str, ...]) -> None:
    """A profile that does not exist, is not the desk's, or lacks its project is refused with what to do."""
    refused(strategy("status", "--state", str(desk), *words, GOOGLE_CLOUD_PROJECT=""), *parts)


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        ({}, "FIRESTORE_DATABASES is not set"),
        ({"FIRESTORE_DATABASES": "desk-1", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}, "leads to an emulator"),
    ],
)
def test_a_halt_reaches_the_stack_s_database_or_none(environ: Mapping[str, str], part: str) -> None:
    """A halt in the cloud goes to the database that is named, never to a default one or to an emulator's."""
    given = {"GOOGLE_CLOUD_PROJECT": "my-desk-1", "FIRESTORE_DATABASES": "", **environ}
    refused(strategy("halt", "--profile", "cloud", **given), "NOTHING IS HALTED", part, "--location=REGION")


def test_a_stopped_desk_over_emulators_has_nothing_left(tmp_path: Path) -> None:
    """A desk over emulators that is not running kept nothing, and a command says so."""
    write_card(tmp_path / "desk", cloud="emulators")
    refused(strategy("status", "--profile", "emulators", "--state", str(tmp_path / "desk")), "ended with them")


@pytest.mark.parametrize("card", ["{", "[1]", '{"cloud": "local"}'])
def test_a_card_that_cannot_be_read_is_told(desk: Path, card: str) -> None:
    """A damaged card is a sentence, not a traceback, and `strategy up` is what mends it."""
    (desk / "desk.json").write_text(card)
    refused(strategy("status", "--state", str(desk)), "is damaged", "strategy up")


def test_a_stopped_desk_is_held_while_a_command_works_on_it(desk: Path) -> None:
    """No desk starts in the folder meanwhile, which is told, and afterwards it may."""
    with reach("local", desk, {}) as hand:
        assert not hand.running
        assert hand.sign_in is None
        with pytest.raises(ConfigError, match=r"a command such as .* is at work .* nothing was changed"):
            FolderLock(desk)
    FolderLock(desk).release()


def test_two_commands_on_a_stopped_desk_do_not_take_each_other_for_it(desk: Path) -> None:
    """While one command is at work another one works too, and neither says that the desk runs."""
    with reach("local", desk, {}):
        assert answer("status", "--state", str(desk))["running"] is False
        assert answer("halt", "--state", str(desk))["state"] == "HALTED"
        assert answer("secrets", "set", SIGN_IN_KEY, "--generate", "--state", str(desk))["left"] == 0


def test_a_desk_waits_for_a_command_that_is_nearly_done(desk: Path) -> None:
    """A desk that starts while a command is at work starts once the command has ended."""
    let_go = share(desk)
    assert let_go is not None
    timer = threading.Timer(0.3, let_go)
    timer.start()
    FolderLock(desk).release()
    timer.join()


def test_a_stopped_desks_time_stands_where_it_stood(desk: Path) -> None:
    """What the owner does to a stopped simulated desk happens at the desk's own instant."""
    (desk / "instant").write_text("2013-10-07T14:08:00+00:00\n")
    assert answer("halt", "--state", str(desk))["at"] == "2013-10-07T14:08:00Z"


def test_nothing_signs_in_at_a_stopped_desk(desk: Path) -> None:
    """A desk that is not running has nobody who serves its pages, and the login says so."""
    refused(strategy("login", "--state", str(desk)), "does not run", f"--state {desk}")
    assert Folder(path=desk).card() is not None


def test_reaching_refuses_before_it_opens(tmp_path: Path) -> None:
    """A folder that is no desk is left as it was: nothing is created in it."""
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError), reach("local", tmp_path / "mine", {}):
        pass
    assert list((tmp_path / "mine").iterdir()) == []
