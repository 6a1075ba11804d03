"""A halt is the last thing that fails: it needs a desk's documents and nothing else, and says so when it has none."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli.exits import NOT_RUNNING
from infra.one_machine.folder import FolderLock
from infra.one_machine.sqlite_store import SqliteStore
from shared.codec import encode
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind
from shared.ports import Put
from shared.usecases.control import control
from tests.domain.made import order, position
from tests.functions.made import at
from tests.operations.desks import answer, refused, running, sign_out, strategy, write_card


def _put(desk: Path, path: str, data: dict[str, object]) -> None:
    store = SqliteStore(desk / "state.db")
    store.commit([Put(path, data)])
    store.close()


def _state(desk: Path) -> str:
    store = SqliteStore(desk / "state.db")
    said = control.standing(store)
    store.close()
    assert said is not None
    return str(said.state)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "desk.json": lambda desk: (desk / "desk.json").write_text("{"),
    "holds no system": lambda desk: (desk / "desk.json").unlink(),
    "runs over emulators": lambda desk: write_card(desk, cloud="emulators"),
    "instant": lambda desk: (desk / "instant").write_text("yesterday"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_halt_works_without_what_it_does_not_need(desk: Path, what: str) -> None:
    """A damaged, missing or contradicting file beside the documents is named, and trading is halted all the same."""
    DAMAGE[what](desk)
    done = strategy("halt", "--state", str(desk))
    assert done.exit_code == NOT_RUNNING, done.stderr
    assert done.stdout.startswith(f"The trading state of {desk} (")
    assert what in done.stderr
    assert _state(desk) == TradingState.HALTED


def test_a_resume_of_what_does_not_run_is_no_success(desk: Path) -> None:
    """It is written down all the same, and the exit code is that of a halt of what does not run."""
    answer("halt", "--state", str(desk))
    assert strategy("resume", "--reason", "seen", "--state", str(desk)).exit_code == NOT_RUNNING
    assert _state(desk) == TradingState.ACTIVE


@pytest.mark.parametrize("broker", ["simulator", "sandbox"])
def test_a_halt_opens_no_vault(desk: Path, broker: str) -> None:
    """A damaged vault, or one whose key is nowhere, is not asked for by a halt or a look."""
    write_card(desk, broker=broker)
    (desk / "vault.bin").write_bytes(b"nothing")
    environ = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    assert strategy("halt", "--state", str(desk), **environ).exit_code == NOT_RUNNING
    assert answer("status", "--state", str(desk), **environ)["control"]["state"] == "HALTED"
    done = strategy("secrets", "set", "sign-in-key", "--generate", "--state", str(desk), **environ)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Set the key that you made earlier. Do not make a new one" in done.stderr


@pytest.mark.parametrize("world", [None, "{"])
def test_a_halt_reaches_a_desk_that_is_starting(desk: Path, world: str | None) -> None:
    """While a desk has not yet said where it listens, a halt is written, and other commands say to ask again."""
    held = FolderLock(desk)
    if world is not None:
        (desk / "world.json").write_text(world)
    done = strategy("halt", "--json", "--state", str(desk))
    refused(strategy("status", "--state", str(desk)), "ask again when it has started")
    held.release()
    assert (json.loads(done.stdout)["state"], _state(desk)) == ("HALTED", "HALTED")
    assert "world.json" in done.stderr


@pytest.mark.parametrize(
    ("broker", "mode", "said"),
    [
        ("production", "paper", "on paper nothing fills and no stop works until it runs"),
        ("simulator", "live", "its simulated time stands still: nothing fills and no stop works until it runs"),
        ("sandbox", "live", "until it runs nobody cancels, protects or sells anything; only stops that are at E*TRADE"),
    ],
)
def test_a_halt_of_a_stopped_desk_says_that_nobody_acts(desk: Path, broker: str, mode: str, said: str) -> None:
    """Where no function runs nobody cancels or sells, on paper no stop works either, and the owner reads that."""
    write_card(desk, broker=broker, mode=mode)
    first, opening, *_ = strategy("halt", "--reason", "", "--state", str(desk)).stdout.splitlines()
    assert first.startswith("The trading state of ")
    assert opening.startswith(f"NOT RUNNING: {said}")


def test_a_halt_says_what_it_did_and_what_to_do_next(desk: Path) -> None:
    """Buy orders that are cancelled, positions that go on, and the commands that sell and resume are in its answer."""
    on = f"--state {desk}"
    _put(desk, "positions/IBM", encode(position()))
    _put(desk, "orders/I1", encode(order()))
    _put(desk, "orders/I2", encode(order(intent_id="I2", kind=Kind.PROTECT)))
    halted = strategy("halt", "--state", str(desk)).stdout
    assert (
        "1 buy order is still open: its cancel is sent once it runs, and it may fill before that; 1 position is held: "
        "stops and sales go on once it runs" in halted
    )
    start = f"  strategy up --broker simulator --mode live --market made --config demo --seed 1 {on}\n"
    assert halted.count(start) == 1
    assert f"To sell what is held, once it runs:\n  strategy login {on}\n  strategy close --all {on}\n" in halted
    assert halted.endswith(f'To trade again:\n  strategy resume --reason "..." {on}\n')
    still = strategy("halt", "--exits-too", "--state", str(desk)).stdout
    assert "1 position is held: no sale is sent." in still
    assert f'  strategy resume --exits-only --reason "..." {on}\n  strategy close --all {on}\n' in still


def test_the_commands_that_a_halt_names_serve_in_any_folder(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was named from here is named whole: the next terminal may be elsewhere."""
    monkeypatch.chdir(desk.parent)
    halted = strategy("halt", "--state", desk.name).stdout
    assert f'\n  strategy resume --reason "..." --state {desk}\n' in halted
    assert "nothing is held." in halted
    assert "To sell" not in halted


def test_a_halt_of_what_runs_says_that_a_buy_may_still_fill(desk: Path) -> None:
    """A cancel is sent within seconds, and until then the order may fill: nothing is said to be cancelled already."""
    _put(desk, "orders/I1", encode(order()))
    with running(desk, at("10:09")):
        halted = strategy("halt", "--state", str(desk)).stdout
    assert "1 buy order is still open: its cancel is sent within seconds, and it may fill before that;" in halted


SIGNED_OUT = {
    "production-paper": "on paper no quote comes, so nothing fills and no stop works until `strategy login`",
    "simulator-live": "only stops that are at the simulated broker already still sell",
    "sandbox-live": "only stops that are at E*TRADE already still sell",
}


@pytest.mark.parametrize("word", ["halt", "reduce", "resume"])
@pytest.mark.parametrize("system", SIGNED_OUT)
def test_without_a_sign_in_nothing_is_said_to_go_on(desk: Path, system: str, word: str) -> None:
    """While nobody is signed in each command says what its stops do, and that all else waits for the sign-in."""
    broker, mode = system.split("-")
    write_card(desk, broker=broker, mode=mode)
    _put(desk, "positions/IBM", encode(position()))
    with running(desk, at("10:09")):
        on = ("--reason", "a look", "--state", str(desk))
        assert "NOBODY IS SIGNED IN" not in strategy(word, *on).output
        sign_out(desk)
        done = strategy(word, *on)
    assert "NOBODY IS SIGNED IN" in done.stdout
    assert SIGNED_OUT[system] in done.stdout
    if word != "resume":
        assert "1 position is held: stops and sales go on once you are signed in." in done.stdout
        sells = f"  strategy login --state {desk}\n  strategy close --all --state {desk}\n"
        assert f"To sell what is held:\n{sells}" in done.stdout


def test_a_reduce_says_what_it_did(desk: Path) -> None:
    """Nothing new is bought, and an open buy order stays: that is a sentence, whatever the state is called."""
    _put(desk, "orders/I1", encode(order()))
    reduced = strategy("reduce", "--state", str(desk)).stdout
    assert "Nothing new is bought. 1 buy order is still open: it may still fill; `strategy cancel ORDER`" in reduced
    assert "nothing is held." in reduced


def test_a_halt_counts_nothing_that_it_cannot_read(desk: Path) -> None:
    """Where the book cannot be read whole the halt is in force all the same, and no count is told."""
    _put(desk, "orders/bad", {"live": True, "kind": "odd"})
    halted = strategy("halt", "--state", str(desk)).stdout
    assert "could not be counted" in halted
    assert _state(desk) == "HALTED"


def test_an_open_outcome_is_told_as_one(desk: Path) -> None:
    """When the documents stop answering while a halt is written, it is not said that nothing is halted."""
    strategy("reduce", "--reason", "less", "--state", str(desk))
    refusing = sqlite3.connect(desk / "state.db")
    refusing.execute("CREATE TRIGGER t BEFORE INSERT ON documents BEGIN SELECT RAISE(FAIL, 'the disk refuses'); END")
    refusing.close()
    asked = strategy("halt", "--state", str(desk))
    refused(asked, "IT IS NOT KNOWN WHETHER TRADING IS HALTED", "the disk refuses", "ask again", "Ctrl-C")


def test_a_halt_is_written_over_what_cannot_be_read(desk: Path) -> None:
    """A trading state that cannot be read is replaced by a halt, with an epoch above any other, and by nothing else."""
    before = answer("status", "--state", str(desk))["control"]["epoch"]
    _put(desk, control.PATH, {"state": "perhaps"})
    for words in (("status",), ("reduce",), ("resume", "--reason", "why not")):
        refused(strategy(*words, "--state", str(desk)), "not a Control", "halt")
    halted = answer("halt", "--state", str(desk))
    assert (halted["state"], halted["epoch"] > before) == ("HALTED", True)
    assert answer("resume", "--reason", "seen", "--state", str(desk))["epoch"] == halted["epoch"] + 1


def test_a_halt_that_cannot_be_written_says_how_to_stop(desk: Path, tmp_path: Path) -> None:
    """Where no halt can be written the first words say so, and the remedy stops trading without it."""
    (desk / "state.db").write_bytes(b"no database " * 100)
    simulated = ("NOTHING IS HALTED", "Ctrl-C", "you cancel at the simulator")
    refused(strategy("halt", "--state", str(desk)), "not a state file", *simulated)
    here = ("NOTHING IS HALTED", "Ctrl-C", "E*TRADE's own page")
    refused(strategy("halt", "--state", str(tmp_path)), "no system's folder", *here)
    assert not (tmp_path / "lock").exists()
    (tmp_path / "file").touch()
    refused(strategy("halt", "--state", str(tmp_path / "file")), *here)
    cloud = strategy("halt", "--profile", "cloud", GOOGLE_CLOUD_PROJECT="")
    refused(cloud, "NOTHING IS HALTED", "GOOGLE_CLOUD_PROJECT is not set", "gcloud scheduler jobs pause scan")


def test_the_account_is_not_changed_while_shares_are_held(desk: Path) -> None:
    """What is held lies in the account of now: the command names it, and chooses nothing until it is sold."""
    _put(desk, "positions/IBM", encode(position()))
    refused(
        strategy("login", "--change-account", "--state", str(desk)), "nothing was changed", "10 shares of IBM",
        "strategy close --all",
    )  # fmt: skip
