"""The owner names strategies in the configuration, their own among them, and sees what each of them says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from infra.cli.status_words import status_lines
from infra.one_machine.memory_store import MemoryStore
from infra.operations.configuring import of_text, text_of
from infra.operations.look import overview
from infra.simulated_day.chosen import choose
from infra.simulated_day.environment import environ
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day
from shared.domain.telling.left_out import LeftOut, SessionLeftOut, path_of
from shared.ports import Put
from shared.strategies import registry
from shared.strategies.config import load
from shared.usecases.base.desk import create
from tests.operations.desks import answer, refused, strategy
from tests.operations.test_why import written
from tests.strategies.own import write

MORNING = datetime(2013, 10, 7, 11, 20, tzinfo=UTC)


def _own(folder: Path) -> dict[str, str]:
    return {"STRATEGY_STRATEGIES": str(write(folder))}


def test_every_parameter_is_shown(desk: Path) -> None:
    """What the configuration leaves out is shown as the strategy's file says it, and the names of all that are used."""
    shown = answer("config", "show", "--state", str(desk))["settings"]
    assert shown["strategies"] == "momentum, opening_range"
    assert (shown["strategies.momentum.change_min_pct"], shown["strategies.opening_range.breakout_bps"]) == (
        "0.4",
        "10",
    )


def test_a_strategy_of_one_s_own_is_named_and_set(evening: Path, tmp_path: Path) -> None:
    """Names are set as one setting, in which who stays keeps its parameters; then each parameter by its own name."""
    here, own = ("--state", str(evening)), _own(tmp_path)
    shown = answer("config", "set", "strategies", "mine, momentum", *here, **own)["settings"]
    assert (shown["strategies"], shown["strategies.mine.bars"]) == ("mine, momentum", "5")
    assert shown["strategies.momentum.change_min_pct"] == "0.4"
    answer("config", "set", "strategies.mine.bars", "7", *here, **own)
    answer("config", "set", "strategies.mine.bold", "true", *here, **own)
    assert answer("config", "diff", "1", *here, **own) == [
        "strategies.mine.bars: 5 -> 7", "strategies.mine.bold: false -> true",
    ]  # fmt: skip
    without = answer("config", "show", *here)["settings"]
    assert (without["strategies.mine.bars"], "strategies.mine.price_min" in without) == ("7", False)
    first = answer("config", "diff", "0", *here, **own)
    assert "strategies: momentum, opening_range -> mine, momentum" in first
    assert "strategies.opening_range.breakout_bps: 10 -> none" in first


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("strategies", "momentum, other", "there is no strategy other: there are mine, momentum"),
        ("strategies", "", "signals.min_votes must not exceed the strategies that are used: 1 votes, and no strategy"),
        ("strategies", "My-Own", "strategies.My-Own is no name of a strategy"),
        ("strategies.momentum.change_min_pct", "99", "strategies.momentum.change_min_pct must lie between 0.05 and 50"),
        ("strategies.momentum.change_min_pct", "true", "must be a decimal number, not True"),
        ("strategies.momentum.speed", "1", "is no setting of the configuration"),
        ("signals.min_votes", "3", "3 votes, and momentum, opening_range alone"),
    ],
)
def test_what_cannot_be_used_is_refused(desk: Path, tmp_path: Path, name: str, value: str, why: str) -> None:
    """A strategy that is not there, a parameter out of its range and too many votes are named; nothing is written."""
    refused(strategy("config", "set", name, value, "--state", str(desk), **_own(tmp_path)), why)
    assert answer("config", "show", "--state", str(desk))["number"] == 0


def test_a_file_may_name_a_strategy_of_one_s_own(tmp_path: Path) -> None:
    """`--config FILE.toml` is checked with the folder of the owner's strategies, before anything starts."""
    mine, own = tmp_path / "mine.toml", _own(tmp_path)["STRATEGY_STRATEGIES"]
    mine.write_text("[signals]\nmin_votes = 1\n[strategies.mine]\nprice_min = 20.5\n")
    chosen = choose(str(mine), own)
    assert chosen.file is not None
    assert chosen.file.own.strategies == {"mine": {"price_min": Decimal("20.5")}}
    with pytest.raises(UserError, match="there is no strategy mine"):
        choose(str(mine))
    mine.write_text("[signals]\nmin_votes = 1\n[strategies.mine]\nprice_min = 0.5\n")
    with pytest.raises(UserError, match=r"strategies\.mine\.price_min must lie between 1 and 10000"):
        choose(str(mine), own)


def test_what_is_written_for_the_editor_comes_back(tmp_path: Path) -> None:
    """A configuration with every parameter, also of a strategy that has none given, is read back from its text."""
    used = replace(load("demo"), strategies={"mine": {"bold": True}, "momentum": {}})
    for config in (used, registry.completed(used, str(write(tmp_path)))):
        assert of_text(text_of(config)) == config


def test_a_strategy_s_reason_is_told_in_its_own_words(desk: Path, tmp_path: Path) -> None:
    """`why` says what each strategy found and asked; where a file is not here, that it is not."""
    code = "mine:CHEAP+momentum:RISE_TOO_SMALL"
    when = written(desk, [[0, code, "40; 0.5", "50 or more; 2 % or more", 250]])
    words = ("why", "ZXQ", "--at", f"{when}:29+00:00", "--state", str(desk))
    mine, momentum = answer(*words, **_own(tmp_path))["rules"]
    assert (mine["words"], mine["found"], mine["asked"]) == ("It costs too little.", "40", "50 or more")
    assert momentum["words"].startswith("The rise over the previous close")
    assert answer(*words)["rules"][0]["words"] == "The strategy mine said CHEAP, and its file is not here."


def test_a_day_is_given_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever its functions run, they look into the folder that the person meant; one that is not there is refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    given = partial(environ, config="demo", market_spec="generated", symbols=["ZA"])
    assert given({"STRATEGY_STRATEGIES": "own"})["STRATEGY_STRATEGIES"] == str(tmp_path / "own")
    assert "STRATEGY_STRATEGIES" not in given({})
    with pytest.raises(UserError, match="STRATEGY_STRATEGIES='none' is no folder"):
        given({"STRATEGY_STRATEGIES": "none"})


def test_a_strategy_that_is_left_out_is_named_with_why() -> None:
    """Status names it on its session's day and on no other; a record that cannot be read is named in its place."""
    store = MemoryStore()
    broken = LeftOut(name="mine", why="it raised ValueError: no idea", at=MORNING + timedelta(hours=3), about="IBM")
    day = new_york_day(MORNING)
    store.commit([create(path_of(day), SessionLeftOut(session=day, strategies=(broken,)))])
    shown = dict(status_lines(overview(store, at=MORNING + timedelta(hours=4), running=True)))
    assert shown["LEFT OUT"] == "mine since 10:20 ET, asked about IBM: it raised ValueError: no idea"
    assert shown["Trading state"] == "ACTIVE (default)"
    later = dict(status_lines(overview(store, at=MORNING + timedelta(days=1), running=True)))
    assert "LEFT OUT" not in later
    store.commit([Put(path_of(day), {"strategies": 1})])
    seen = overview(store, at=MORNING + timedelta(hours=4), running=True)
    assert (seen.left_out, seen.unreadable) == ((), (path_of(day),))
