"""The register of back-tests counts what was tried on the same data, whatever became of it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from infra.backtest.trials import Trial, enter, trial
from infra.simulated_day.problems import UserError

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def tried(first: int, last: int, data: str = "days", config: str = "default") -> Trial:
    return trial(
        at=NOW, data=data, first=date(2013, 10, first), last=date(2013, 10, last), symbols=("IBM",), config=config
    )


def test_trials_of_the_same_data_are_counted(tmp_path: Path) -> None:
    """Each run counts, with every configuration, where it saw some same day of the same data."""
    file = tmp_path / "some" / "trials.jsonl"
    assert [enter(file, one) for one in (tried(7, 8), tried(8, 9, config="demo"), tried(7, 8))] == [1, 2, 3]
    assert enter(file, tried(9, 9)) == 2
    assert enter(file, tried(7, 9, data="others")) == 1


def test_a_torn_line_costs_nothing_but_itself(tmp_path: Path) -> None:
    """What a crash left half-written is passed over, and the next line begins anew."""
    file = tmp_path / "trials.jsonl"
    enter(file, tried(7, 7))
    with file.open("ab") as torn:
        torn.write(b'{"at":"2026')
    assert enter(file, tried(7, 7)) == 2
    assert enter(file, tried(7, 7)) == 3
    assert len(file.read_bytes().splitlines()) == 4


def test_without_a_register_nothing_is_played(tmp_path: Path) -> None:
    """Where the register cannot be written the command says so before the first day."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="nothing was played"):
        enter(tmp_path / "file" / "trials.jsonl", tried(7, 7))
