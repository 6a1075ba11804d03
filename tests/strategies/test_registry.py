"""A strategy is one file: found without a list, bound with its parameters, and all that is wrong with it named."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.domain.control.config import StrategyConfig
from shared.domain.orders.signals import Vote
from shared.errors import ConfigError
from shared.strategies import registry
from shared.strategies.form import StrategyFault, asked
from tests.domain.made import DEFAULT, quote
from tests.strategies.own import write
from tests.strategies.seen import view


def _using(**strategies: dict[str, Any]) -> StrategyConfig:
    return replace(DEFAULT, strategies=strategies)


def _problems(folder: Path, **strategies: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        registry.bound(_using(**strategies), str(folder))
    return refused.value.problems


def test_every_file_of_the_form_is_found_and_can_be_used() -> None:
    """What ships is found by its file; each strategy has a description and reasons, and its defaults can be used."""
    there = registry.found()
    assert {"momentum", "opening_range"} <= set(there)
    assert not {"decide", "form", "view", "registry"} & set(there)
    for one in registry.bound(_using(**{name: {} for name in there})):
        assert one.description.endswith(".")
        assert all(reason.words.endswith(".") and reason.source for reason in one.reasons.values())


def test_an_error_lists_ten_that_can_be_used(tmp_path: Path) -> None:
    """Of many strategies an error names ten and how many more there are, and no file that is none."""
    for turn in range(12):
        write(tmp_path, f"mine_{turn:02}")
    (tmp_path / "aside.py").write_text("HELPS = True\n")
    (tmp_path / "bytes.py").write_bytes(b"\xff")
    (said,) = _problems(tmp_path, other={})
    ten = ", ".join(f"mine_{turn:02}" for turn in range(10))
    assert said == f"there is no strategy other: there are {ten} and {2 + len(registry.found())} more"


def test_a_file_in_the_owner_s_folder_is_a_strategy(tmp_path: Path) -> None:
    """It is bound with the parameters that were given and its own for the others, whole numbers as decimals, too."""
    (one,) = registry.bound(_using(mine={"price_min": 120}), str(write(tmp_path)))
    assert (one.name, one.description) == ("mine", "Yes to whatever costs enough.")
    assert (one.parameters.price_min, one.parameters.bars, one.parameters.bold) == (Decimal(120), 5, False)
    assert isinstance(asked(one, view(quote=quote("120"))), Vote)
    assert asked(one, view(quote=quote("119"))) == one.reasons["CHEAP"].on(Decimal(119), "120 or more")


def test_a_file_that_is_changed_is_read_anew(tmp_path: Path) -> None:
    """What the file says now counts, also in a process that has bound it before."""
    registry.bound(_using(mine={}), str(write(tmp_path)))
    write(tmp_path, vote="raise ValueError('no idea')")
    (one,) = registry.bound(_using(mine={}), str(tmp_path))
    with pytest.raises(StrategyFault, match="strategy mine: it raised ValueError: no idea"):
        asked(one, view())


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"speed": 1}, "strategies.mine.speed is not a setting: it has price_min, bars, bold"),
        ({"price_min": Decimal("0.5")}, "strategies.mine.price_min must lie between 1 and 10000, not 0.5"),
        ({"bars": Decimal("2.5")}, "strategies.mine.bars must be a whole number, not 2.5"),
        ({"bold": 1}, "strategies.mine.bold must be true or false, not 1"),
        ({"bars": True}, "strategies.mine.bars must be a whole number, not True"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(tmp_path: Path, given: dict[str, Any], problem: str) -> None:
    """A parameter that the file does not have, of another kind or out of its range, is named with its place."""
    assert _problems(write(tmp_path), mine=given) == (problem,)


def test_all_problems_of_all_strategies_come_at_once(tmp_path: Path) -> None:
    """Two strategies with two mistakes are one message."""
    write(tmp_path)
    found = _problems(tmp_path, mine={"speed": 1, "bars": 99}, momentum={"change_min_pct": 99}, other={})
    assert len(found) == 4
    assert found[-1].startswith("there is no strategy other: there are mine, momentum, opening_range")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"without": '"""Yes to whatever costs enough."""\n'}, "the file has no docstring"),
        ({"without": 'NAME = "mine"\n'}, "NAME must be 'mine'"),
        ({"without": "REASONS = (CHEAP,)\n"}, "REASONS must be a tuple"),
        ({"more": "REASONS = (CHEAP, CHEAP)\n"}, "the code of each of REASONS must be of its own"),
        ({"more": "leave = 7\n"}, "leave is no function"),
        ({"without": "(frozen=True, slots=True, kw_only=True)"}, "no frozen dataclass Parameters"),
        ({"without": " = 5"}, "the parameter bars has no default"),
        ({"without": ", Span(1, 60)"}, "cannot be imported: it raised TypeError"),
        ({"without": "[int, Span(1, 60)]"}, "the parameter bars must be a bool, or an Annotated int or Decimal"),
        ({"without": 'Span("1", "10000")'}, "cannot be imported: it raised TypeError"),
        ({"more": "import nothing_of_the_kind\n"}, "cannot be imported: it raised ModuleNotFoundError"),
        ({"more": "raise SystemExit\n"}, "cannot be imported: it raised SystemExit"),
        ({"more": "def vote(:\n"}, "cannot be imported: it raised SyntaxError"),
    ],
)
def test_what_a_file_lacks_of_the_form_is_named(tmp_path: Path, changes: dict[str, str], problem: str) -> None:
    """A file that is no strategy is refused by what it lacks; the other strategies can be used."""
    write(tmp_path, **changes)
    used, wrong = registry.usable(_using(mine={}, momentum={}), str(tmp_path))
    assert [one.name for one in used] == ["momentum"]
    assert problem in "; ".join(wrong["mine"])


def test_a_default_out_of_its_range_is_named(tmp_path: Path) -> None:
    """What a file itself says has to lie in the range that it says."""
    path = write(tmp_path) / "mine.py"
    path.write_text(path.read_text().replace("= 5", "= 61"))
    assert _problems(tmp_path, mine={}) == ("strategies.mine: the default of bars must lie between 1 and 60, not 61",)


def test_a_name_that_ships_cannot_be_taken(tmp_path: Path) -> None:
    """A file of the owner's never stands for one that ships: it is named and left out, and the others can be used."""
    write(write(tmp_path), "momentum")
    used, wrong = registry.usable(_using(mine={}, momentum={}), str(tmp_path))
    assert ([one.name for one in used], wrong) == (["mine", "momentum"], {})
    assert registry.found(str(tmp_path))["momentum"].parent == registry.HERE
    assert "momentum.py has the name of a strategy that ships" in registry.taken(str(tmp_path))["momentum"]


def test_a_verdict_of_the_scan_s_own_is_no_name(tmp_path: Path) -> None:
    """A strategy cannot be called what the scan calls a verdict of its own."""
    assert "the scan uses this name" in _problems(write(tmp_path, "signal"), signal={})[0]


def test_every_parameter_is_shown(tmp_path: Path) -> None:
    """What was left out is shown as the file says it, what cannot be read as it was given."""
    shown = registry.completed(_using(mine={"bars": 7}, other={"speed": 3}), str(write(tmp_path))).strategies
    assert shown == {"mine": {"price_min": Decimal(50), "bars": 7, "bold": False}, "other": {"speed": 3}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "bold: bool = False\n\n    def __post_init__(self):\n        assert self.bars < 7",
            "it raised AssertionError",
        ),
        ('bold: "Unknown" = False', "it raised NameError: name 'Unknown' is not defined"),
        ("bold: bool = False\n\n    def __post_init__(self):\n        self.bars / 0", "it raised ZeroDivisionError"),
    ],
)
def test_whatever_a_file_s_parameters_do_is_a_problem_of_that_file(tmp_path: Path, text: str, problem: str) -> None:
    """Parameters that cannot be made leave their own strategy out, and the others can be used."""
    path = write(tmp_path) / "mine.py"
    path.write_text(path.read_text().replace("bold: bool = False", text))
    used, wrong = registry.usable(_using(mine={"bars": 9}, momentum={}), str(tmp_path))
    assert [one.name for one in used] == ["momentum"]
    assert problem in "; ".join(wrong["mine"])


def test_an_own_file_is_noted_while_it_is_run_and_one_that_ships_is_not(tmp_path: Path) -> None:
    """A note costs a write to the store: it is made for files that nobody here has read, before and after."""
    noted = list[str]()
    registry.usable(_using(momentum={}, mine={}, trend={}), str(write(tmp_path)), note=noted.append)
    assert noted == ["mine", ""]


def test_a_folder_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    """It is a problem of the configuration, as a name that is nowhere."""
    assert "cannot be read" in "; ".join(_problems(tmp_path / ("x" * 300), momentum={}))
