"""A strategy of one's own begins from one that works, and nothing that is there is written over."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.simulated_day.problems import UserError
from infra.strategies.begun import begin
from shared.domain.control.config import StrategyConfig
from shared.domain.control.tables import strategies_of
from shared.strategies.config import load
from shared.strategies.registry import bound, found

ROOT = Path(__file__).parents[2]


def _using(name: str) -> StrategyConfig:
    return replace(load("default"), strategies=strategies_of({name: {}}))


@pytest.mark.parametrize("model", sorted(found()))
def test_it_begins_as_a_working_copy(tmp_path: Path, model: str) -> None:
    """A copy of any strategy that ships is bound under its own name, with the same parameters."""
    begun = begin("mine", model=model, folder=tmp_path / "own")
    (mine,) = bound(_using("mine"), str(begun.strategy.parent))
    (theirs,) = bound(_using(model))
    assert mine.name == "mine"
    assert repr(mine.parameters) == repr(theirs.parameters)


def test_its_test_passes_as_it_stands_and_can_fail(tmp_path: Path) -> None:
    """The test that is written beside it passes, and fails once the strategy never votes."""
    begun = begin("mine", model="momentum", folder=tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(begun.test)]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0  # noqa: S603
    text = begun.strategy.read_text()
    begun.strategy.write_text(text.replace("if rise_pct < own.change_min_pct:", "if rise_pct < 1000:"))
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 1  # noqa: S603


def test_its_test_passes_in_a_folder_of_this_repository(tmp_path: Path) -> None:
    """In `strategies` beside the settings that this repository has for pytest, it finds its strategy too."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    begun = begin("mine", model="momentum", folder=tmp_path / "strategies")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(begun.test)]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0  # noqa: S603
    blind = [line for line in begun.test.read_text().splitlines() if not line.startswith("sys.path")]
    begun.test.write_text("\n".join(blind))
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode != 0  # noqa: S603


@pytest.mark.parametrize(
    "name", ["Mine", "1st", "my-idea", "class", "test_mine", "momentum", "held", "x" * 41, "../x", "json", "numpy"]
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    """A name that is none, is taken or leads elsewhere is refused, and nothing is written."""
    with pytest.raises(UserError):
        begin(name, model="momentum", folder=tmp_path / "own")
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("kept", ["mine.py", "test_mine.py"])
def test_nothing_is_written_over(tmp_path: Path, kept: str) -> None:
    """Where either file is there already, neither is written."""
    (tmp_path / kept).write_text("# the owner's\n")
    with pytest.raises(UserError, match=r"nothing was written"):
        begin("mine", model="momentum", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [kept]
    assert (tmp_path / kept).read_text() == "# the owner's\n"


def test_an_unknown_model_is_named_with_what_there_is(tmp_path: Path) -> None:
    """A strategy that is not there cannot be begun from; the remedy lists those that can."""
    with pytest.raises(UserError, match="no strategy 'magic'") as problem:
        begin("mine", model="magic", folder=tmp_path)
    assert "momentum" in problem.value.remedy
