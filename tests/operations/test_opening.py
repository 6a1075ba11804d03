"""Each command opens with what does not work, and with what else holds shares and is not shown."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.running import registry
from infra.running.instant import KeptInstant
from infra.running.plan import Plan
from tests.functions.made import at
from tests.operations.desks import answer, running, sign_out, strategy, unopened, write_card
from tests.operations.ended import hold, kill_one, stop_one

LOOKS = (("positions",), ("orders",), ("trades",), ("why", "AIG", "--at", "2013-10-07T10:06:30"))
ACTS = (("halt",), ("reduce",), ("close", "AIG"))
PAPER = "on paper nothing fills and no stop works until it runs"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def other(desk: Path, tmp_path: Path) -> Path:
    """Give a second system, on paper at production, whose book holds a position of 40 shares."""
    made = Path(shutil.copytree(desk, tmp_path / "other"))
    hold(made, 40, 40)
    write_card(made, broker="production", mode="paper")
    return made


@contextmanager
def _one_that_runs(desk: Path) -> Iterator[None]:
    hold(desk, 10, 10)
    with running(desk, at("10:09")):
        yield


def _killed(state: Path) -> None:
    kill_one(state, "production")
    _on_paper()


def _on_paper() -> None:
    """Let the entry say the mode that the card says."""
    (entry,) = registry.place().iterdir()
    entry.write_text(entry.read_text().replace('"live"', '"paper"'))


def _stopped(state: Path) -> None:
    stop_one(state, broker="production")


@pytest.mark.parametrize("words", [*LOOKS, *ACTS])
@pytest.mark.parametrize(("end", "said"), [(_killed, "was killed"), (_stopped, "was stopped")])
def test_what_else_holds_shares_is_told_first(
    desk: Path, other: Path, words: tuple[str, ...], end: Callable[[Path], None], said: str
) -> None:
    """Who looks at one system, or acts on it, reads first of another that ended with shares, and how to reach it."""
    end(other)
    with _one_that_runs(desk):
        first, see, start, *_ = strategy(*words, "--state", str(desk)).stdout.splitlines()
    assert first == f"NOT SHOWN HERE: {other} {said} and holds 1 position: {PAPER}. To see and start it:"
    assert see == f"  strategy positions --state {other}"
    assert start == f"  strategy up --broker production --mode paper --state {other}"
    assert answer("positions", "--state", str(desk)) != []


def test_what_holds_nothing_and_what_is_shown_is_not_told(desk: Path, other: Path) -> None:
    """A system that ended without shares is no matter of another, and the one that is shown is not told as another."""
    kill_one(desk)
    assert "NOT SHOWN HERE" not in strategy("positions", "--state", str(other)).stdout
    hold(desk, 10, 10)
    assert f"NOT SHOWN HERE: {desk} was killed" in strategy("positions", "--state", str(other)).stdout
    assert "NOT SHOWN HERE" not in strategy("positions", "--state", str(desk)).stdout


def test_a_book_that_cannot_be_read_is_told_as_one(desk: Path, other: Path) -> None:
    """Where nobody can tell what a killed system holds that is said, and not that it holds nothing."""
    _killed(other)
    (other / "state.db").write_bytes(b"no database " * 100)
    with _one_that_runs(desk):
        shown = strategy("positions", "--state", str(desk)).stdout
    assert f"NOT SHOWN HERE: {other} was killed and its book cannot be read" in shown


@pytest.mark.parametrize("words", [*LOOKS, *ACTS])
def test_where_no_system_is_meant_it_is_told_before_the_error(other: Path, words: tuple[str, ...]) -> None:
    """In a folder without a system a command that has none to show tells of the one that holds shares."""
    _stopped(other)
    first, see, _, error, *_ = strategy(*words).stderr.splitlines()
    assert first.startswith(f"NOT SHOWN HERE: {other} was stopped and holds 1 position")
    assert see == f"  strategy positions --state {other}"
    assert error.startswith("Error: ")
    assert "no system of yours runs" in error


def test_a_system_that_was_stopped_with_shares_is_shown_in_any_folder(desk: Path, other: Path) -> None:
    """`status` shows it until it runs again or is let be, and one that was stopped without shares is not noted."""
    stop_one(desk)
    assert registry.ended() == []
    _stopped(other)
    _stopped(other)
    assert len(registry.ended()) == 1
    shown = " ".join(strategy("status", "--seen").stdout.split())
    assert f"System {other}" in shown
    assert f"NOT RUNNING {PAPER}" in shown
    assert "KILLED" not in shown
    assert registry.ended() == []


def test_what_was_killed_stands_before_what_runs(desk: Path, other: Path) -> None:
    """In the status of all systems the one that needs its owner is the first."""
    _killed(other)
    with _one_that_runs(desk):
        registry.register(Plan(state=desk, environ={}), desk)
        assert [one["name"] for one in answer("status")] == [str(other), str(desk)]


@pytest.mark.parametrize("words", LOOKS)
def test_a_system_that_does_not_run_says_so_before_its_table(other: Path, words: tuple[str, ...]) -> None:
    """Stops and prices of a system that rests are not shown before it is said that it does, and of when they are."""
    first, start, *_ = strategy(*words, "--state", str(other)).stdout.splitlines()
    assert first.startswith(f"NOT RUNNING: {PAPER}; the newest price is of 2013-10-07 10:0")
    assert first.endswith(" New York. To start it:")
    assert start == f"  strategy up --broker production --mode paper --state {other}"
    kill_one(other, "production")
    shown = strategy(*words, "--state", str(other)).stdout
    assert shown.startswith(f"KILLED: it ended without being stopped; {PAPER}")


@pytest.mark.parametrize("words", LOOKS)
def test_without_a_sign_in_a_table_says_so_first(desk: Path, words: tuple[str, ...]) -> None:
    """While nobody is signed in the same words stand before each table, and the command that signs in."""
    write_card(desk, mode="paper")
    with _one_that_runs(desk):
        assert "NOBODY IS SIGNED IN" not in strategy(*words, "--state", str(desk)).stdout
        sign_out(desk)
        first, login, *_ = strategy(*words, "--state", str(desk)).stdout.splitlines()
    assert first.startswith("NOBODY IS SIGNED IN: on paper no quote comes, so nothing fills and no stop works until")
    assert login == f"  strategy login --state {desk}"


@pytest.mark.parametrize("words", LOOKS)
def test_what_a_program_reads_has_no_opening(other: Path, words: tuple[str, ...]) -> None:
    """JSON and CSV are that alone, however dead the system is."""
    kill_one(other, "production")
    answer(*words, "--state", str(other))
    if words == ("trades",):
        assert strategy("trades", "--csv", "--state", str(other)).stdout.startswith("symbol,")


def test_a_close_of_what_does_not_run_gives_the_whole_command(desk: Path) -> None:
    """The command that starts the system stands behind the refusal, alone on its line."""
    KeptInstant(desk).write(at("10:09"))
    done = strategy("close", "--all", "--state", str(desk))
    assert f"{desk} does not run, so nobody would sell" in done.stderr
    start = f"strategy up --broker simulator --mode live --market made --config demo --seed 1 --state {desk}"
    assert done.stderr.endswith(f"start it first, and repeat this command once you are signed in:\n  {start}\n")
    assert unopened(done.stdout) == ""
