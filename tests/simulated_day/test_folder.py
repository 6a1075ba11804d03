"""The folder of a run: fresh, claimed, recognised after a crash, never overwritten."""

import shutil
from pathlib import Path

import pytest

from infra.simulated_day.folder import Card, card_of, claim, finished_twin, newest
from infra.simulated_day.problems import UserError

CARD = Card(market="2013-10-07", config="demo", seed=1)
FINISHED = Card(market="2013-10-07", config="demo", seed=1, status="finished")


def leave(folder: Path, card: Card) -> None:
    """Leave a folder as a run with this card would."""
    with claim(folder) as ours:
        ours.write_card(card)
        (folder / "state.db").write_text("kept")


def test_each_run_has_a_fresh_folder(tmp_path: Path) -> None:
    """Runs are numbered upwards and the newest is the one with the highest number."""
    for number in ("0001", "0002"):
        with claim(None, runs=tmp_path / "runs") as ours:
            assert ours.path.name == number
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "10000").mkdir()
    assert newest(tmp_path / "runs").name == "10000"


def test_no_runs_has_a_remedy(tmp_path: Path) -> None:
    """Without any run the message says how to start one."""
    with pytest.raises(UserError, match="strategy demo"):
        newest(tmp_path / "runs")


def test_a_finished_result_is_refused(tmp_path: Path) -> None:
    """A folder with the result of a finished run is not used again and keeps its files."""
    leave(tmp_path / "day", FINISHED)
    with pytest.raises(UserError, match="finished run"), claim(tmp_path / "day"):
        pass
    assert (tmp_path / "day" / "state.db").read_text() == "kept"


def test_an_interrupted_run_is_moved_aside(tmp_path: Path) -> None:
    """What interrupted runs left is kept beside the folder under numbered names."""
    for number in (1, 2):
        leave(tmp_path / "day", CARD)
        with claim(tmp_path / "day") as ours:
            assert ours.moved_to == tmp_path / f"day.interrupted-{number}"
            assert (ours.moved_to / "state.db").read_text() == "kept"
            assert not (tmp_path / "day" / "state.db").exists()
        shutil.rmtree(tmp_path / "day")


def test_a_run_killed_at_its_first_step_is_moved_aside(tmp_path: Path) -> None:
    """A folder in which only the lock was made counts as interrupted."""
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "run.lock").touch()
    with claim(tmp_path / "day") as ours:
        assert ours.moved_to is not None


def test_foreign_files_are_never_touched(tmp_path: Path) -> None:
    """A folder that holds something else, or a file in the folder's place, is refused."""
    (tmp_path / "thesis.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(UserError), claim(path):
            pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_running_folder_is_refused(tmp_path: Path) -> None:
    """Two runs never share a folder, and the first one is not disturbed."""
    with claim(tmp_path / "day") as ours:
        ours.write_card(CARD)
        with pytest.raises(UserError, match="in use"), claim(tmp_path / "day"):
            pass
        assert card_of(tmp_path / "day") == CARD


def test_the_default_twin_is_found(tmp_path: Path) -> None:
    """Only a finished run of the same market, configuration and seed is a twin, the newest counts."""
    for number, card in enumerate((FINISHED, FINISHED, CARD, Card(market="x", config="demo", seed=1)), start=1):
        leave(tmp_path / f"{number:04d}", card)
        (tmp_path / f"{number:04d}" / "summary.json").touch()
    twin = finished_twin(CARD, near=tmp_path / "0009", file="summary.json")
    assert twin is not None
    assert twin.parent.name == "0002"
    other = Card(market="2013-10-07", config="demo", seed=2)
    assert finished_twin(other, near=tmp_path / "0009", file="summary.json") is None
