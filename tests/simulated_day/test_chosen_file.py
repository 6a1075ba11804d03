"""`--config FILE.toml`: a file is checked whole before anything is written, and is what the functions then trade by."""

from pathlib import Path

import pytest

from infra.one_machine.sqlite_store import SqliteStore
from infra.simulated_day.chosen import choose
from infra.simulated_day.folder import card_of
from infra.simulated_day.problems import UserError
from infra.simulated_day.run import run_day
from shared.strategies.config import load
from shared.usecases.control.configuration import stored
from tests.simulated_day.made import rows, write_rows
from tests.simulated_day.seeded import PLAIN

MINE = "[limits]\npositions_max = 3\n"


def _file(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_a_file_says_what_differs_from_default(tmp_path: Path) -> None:
    """What a file leaves out is what `default` says, and its label changes with its text."""
    said = _file(tmp_path, MINE)
    first = choose(said)
    assert first.file is not None
    assert first.file.own.limits.positions_max == 3
    assert first.file.own.exits == load("default").exits
    assert (first.name, first.label.split()[0]) == ("default", "mine.toml")
    _file(tmp_path, MINE + "live_orders_max = 9\n")
    assert choose(said).label != first.label


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "[limits]\npositions_max = 999\nspeed = 1\n",
            ("limits.positions_max must lie between 1 and 100", "limits.speed is not a setting"),
        ),
        ("[limits\n", ("this is no TOML",)),
        ("[exits]\nrsi_min = 60\n", ("exits.rsi_min must be below signals.rsi_min",)),
    ],
)
def test_every_problem_of_a_file_is_named(tmp_path: Path, text: str, problems: tuple[str, ...]) -> None:
    """What is out of its range, no setting, or against another one stops the start, all in one message."""
    with pytest.raises(UserError) as refused:
        choose(_file(tmp_path, text))
    for problem in problems:
        assert problem in refused.value.what


@pytest.mark.parametrize(
    ("said", "what"), [("mine", "there is no configuration 'mine'"), ("no/file.toml", "no/file.toml cannot be read")]
)
def test_what_is_neither_a_name_nor_a_file_is_refused(said: str, what: str) -> None:
    """A name that does not ship and a file that is not there are named as they were given."""
    with pytest.raises(UserError) as refused:
        choose(said)
    assert what in refused.value.what


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A file of another kind is named, without a traceback."""
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is no text"):
        choose(str(path))


@pytest.mark.days
def test_a_day_trades_by_the_file(tmp_path: Path) -> None:
    """The file is version 1 of the day's configuration, each receipt says so, and the run's card names the file."""
    market = tmp_path / "market.csv"
    write_rows(market, list(rows())[:200])
    said, folder = _file(tmp_path, MINE), tmp_path / "run"
    run_day(
        market_spec=str(market), config=said, seed=1, speed="max", state=folder, on_progress=lambda _: None,
        around=PLAIN,
    )  # fmt: skip
    store = SqliteStore(folder / "state.db")
    held = stored(store)
    receipts = store.query("receipts")
    store.close()
    assert held is not None
    assert (held.value.newest.number, held.value.newest.config.limits.positions_max) == (1, 3)
    assert {one.data["configuration"] for one in receipts} == {1}
    card = card_of(folder)
    assert card is not None
    assert card.config == choose(said).label == held.value.newest.note
