"""The register of back-tests counts the configurations that saw a result of the same data, and no repetition."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from infra.backtest.data import EXCHANGE
from infra.backtest.trials import VARIABLE, Standing, Trial, enter, place
from infra.backtest.wish import configured
from infra.simulated_day.problems import UserError
from tests.strategies.own import write

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def tried(
    *days: int, market: str = EXCHANGE, digest: str = "one", symbols: Sequence[str] = ("IBM",), config: str = "default"
) -> Trial:
    sessions = tuple(date(2013, 10, day) for day in days)
    return Trial(at=NOW, market=market, sessions=sessions, symbols=tuple(symbols), config=config, digest=digest)


def stands(trials: int, *, before: bool = False) -> Standing:
    return Standing(trials=trials, before=before)


def test_configurations_that_saw_the_same_data_are_counted(tmp_path: Path) -> None:
    """Each configuration counts where it saw some same session of some same symbol in the same market."""
    file = tmp_path / "some" / "trials.jsonl"
    assert enter(file, tried(7, 9)) == stands(1)
    assert enter(file, tried(7, 8, digest="two")) == stands(2)
    assert enter(file, tried(8, digest="three")) == stands(2)
    assert enter(file, tried(7, digest="four", symbols=("IBM", "SPY"))) == stands(3)
    assert enter(file, tried(7, digest="five", symbols=("SPY",))) == stands(2)
    assert enter(file, tried(7, 8, 9, digest="six", market="generated market, seed 1")) == stands(1)


def test_a_repetition_is_no_new_trial(tmp_path: Path) -> None:
    """What was tried before leaves the count as it is and is said, whatever the configuration is called."""
    file = tmp_path / "trials.jsonl"
    enter(file, tried(7))
    again = enter(file, tried(7, config="a copy"))
    assert again == stands(1, before=True)
    assert again.sentence == "This configuration was tried on these data before, and is no new trial."
    assert enter(file, tried(7, digest="two")).sentence.startswith("This is trial 2 on these data: the best of many")
    assert enter(file, tried(7)).sentence.endswith(
        "no new trial. The trials are 2 on these data: the best of many trials looks good by chance alone."
    )


def test_another_text_of_a_strategy_is_another_configuration(tmp_path: Path) -> None:
    """The digest has what the owner's files say, of those that vote, and each parameter, given or left out."""
    first, other = tmp_path / "first", tmp_path / "other"
    for folder in (first, other):
        folder.mkdir()
        write(folder)
    found = configured("default", ("mine",), str(first))
    assert found.digest(str(first)) == found.digest(str(other))
    with (other / "mine.py").open("a") as file:
        file.write("\n# another\n")
    assert found.digest(str(first)) != found.digest(str(other))
    alone = configured("default", ("momentum",), str(first))
    assert alone.digest(str(first)) == alone.digest(str(other)) != found.digest(str(first))


def test_a_torn_line_costs_nothing_but_itself(tmp_path: Path) -> None:
    """What a crash left half-written is passed over, and the next line begins anew."""
    file = tmp_path / "trials.jsonl"
    enter(file, tried(7))
    with file.open("ab") as torn:
        torn.write(b'{"at":"2026')
    assert enter(file, tried(7, digest="two")) == stands(2)
    assert enter(file, tried(7, digest="three")) == stands(3)
    assert len(file.read_bytes().splitlines()) == 4


def test_without_a_register_nothing_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the register cannot be written the command says so before the first day, and later shows no result."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "trials.jsonl"))
    with pytest.raises(UserError, match="nothing was played"):
        place()
    with pytest.raises(UserError, match="what was played is not shown"):
        enter(tmp_path / "file" / "trials.jsonl", tried(7))
