import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest

from shared.codec import decode, encode
from shared.domain.control.config import StrategyConfig, parse
from shared.errors import ConfigError
from shared.settings import CONFIGS
from shared.strategies.config import _table, load, over_default


def table() -> dict[str, Any]:
    return copy.deepcopy(_table("default"))


def problems(data: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(data)
    return caught.value.problems


@pytest.mark.parametrize("name", CONFIGS)
def test_shipped_configurations_are_sound(name: str) -> None:
    """Every configuration that ships can be used."""
    assert load(name).exits.target_factor >= 2


def test_demo_only_lowers_thresholds() -> None:
    """The demonstration differs from the default in thresholds of strategies and signals, never in safety."""
    default, demo = load("default"), load("demo")
    assert demo != default
    assert (demo.entry, demo.quotes, demo.sizing, demo.limits, demo.exits) == (
        default.entry,
        default.quotes,
        default.sizing,
        default.limits,
        default.exits,
    )


def test_a_gap_that_is_no_shorter_than_a_freeze_is_refused() -> None:
    """What stands still for as long as a frozen book cannot be what makes one lively."""
    data = table()
    data["quotes"]["lively_gap_s"] = 20
    (problem,) = problems(data)
    assert problem.startswith("quotes.lively_gap_s must be shorter than quotes.frozen_after_s")


def test_unknown_name_is_refused() -> None:
    """A configuration that does not exist is refused by name."""
    with pytest.raises(ConfigError, match="no strategy configuration 'live'"):
        load("live")


def test_all_problems_are_named_at_once() -> None:
    """Unknown, missing, mistyped and out-of-range settings appear in one error."""
    data = table()
    data["exits"]["trail_pct"] = Decimal("4.01")
    data["exits"]["hold_max_minutes"] = Decimal("1.5")
    data["entry"]["collar_pct"] = 0.8
    data["limits"]["positions_max"] = True
    data["limits"]["speed"] = 3
    del data["sizing"]["min_usd"]
    data["universe"] = 7
    found = problems(data)
    assert len(found) == 7
    for part in (
        "exits.trail_pct must lie between 0.2 and 4, not 4.01",
        "exits.hold_max_minutes must be a whole number",
        "entry.collar_pct must be a decimal number, not 0.8",
        "limits.positions_max must be a whole number, not True",
        "limits.speed is not a setting",
        "sizing.min_usd is missing",
        "universe must be a table",
    ):
        assert any(part in problem for problem in found), part


@pytest.mark.parametrize("value", ["0.2", "4"])
def test_ends_of_a_range_are_inside(value: str) -> None:
    """A value on the end of its range is accepted."""
    data = table()
    data["exits"]["trail_pct"] = Decimal(value)
    assert parse(data).exits.trail_pct == Decimal(value)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), "0.6", None])
def test_what_is_no_number_is_refused(value: object) -> None:
    """Not-a-number, infinity and text are no settings."""
    data = table()
    data["exits"]["trail_pct"] = value
    said = value if isinstance(value, Decimal) else repr(value)
    assert problems(data) == (f"exits.trail_pct must be a decimal number, not {said}",)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"exits.stop_fallback_pct": Decimal("0.8")}, "target must exceed"),
        ({"universe.spread_max_bps": 60}, "target must exceed"),
        ({"exits.stop_max_pct": 1}, "stop_fallback_pct must lie between"),
        ({"universe.price_min": 1000}, "price_min must be below"),
        ({"signals.rsi_min": 80}, "rsi_min must be below signals.rsi_max"),
        ({"exits.rsi_min": 55}, "an entry is an exit at once"),
        ({"signals.min_votes": 5}, "used: 5 votes, and momentum, opening_range, trend_confirmation, volume_surge"),
        ({"sizing.base_pct": 36}, "base_pct must not exceed"),
        ({"sizing.max_pct": 81}, "together must not exceed 100"),
        ({"exits.market_minutes": 10}, "market_minutes < exits.flatten_minutes"),
        ({"entry.late_minutes": 10, "exits.flatten_minutes": 11}, "market_minutes < exits.flatten_minutes"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], part: str) -> None:
    """Settings that are sound alone but contradict each other are refused."""
    data = table()
    for path, value in changes.items():
        group, name = path.split(".")
        data[group][name] = value
    assert any(part in problem for problem in problems(data))


@pytest.mark.parametrize(
    ("strategies", "problem"),
    [
        (7, "strategies must be a table with one table for each strategy that is used"),
        ({"momentum": 7}, "strategies.momentum must be a table"),
        ({"My-Own": {}}, "strategies.My-Own is no name of a strategy: small letters, digits and _"),
        ({"mine": {"A": 1}}, "strategies.mine.A is no name of a parameter: small letters, digits and _"),
        ({"mine": {"a": "1"}}, "strategies.mine.a must be a number, true or false, not '1'"),
        ({"mine": {"a": Decimal("NaN")}}, "strategies.mine.a must be a number, true or false"),
        ({"mine": {"a": 0.5}}, "strategies.mine.a must be a number, true or false, not 0.5"),
    ],
)
def test_the_table_of_strategies_takes_names_and_plain_values(strategies: object, problem: str) -> None:
    """Whatever strategies there are, each is a table of its own with numbers or true and false; all else is named."""
    data = table()
    data["strategies"] = strategies
    assert problems(data)[0].startswith(problem)


def test_the_table_of_strategies_stays_as_it_is() -> None:
    """It is in the order of the names, comes back from its stored form, and cannot be changed by who reads it."""
    data = table()
    data["strategies"] = {"opening_range": {}, "mine": {"b": True, "a": Decimal("2.50"), "c": 3}}
    found = parse(data)
    assert list(found.strategies) == ["mine", "opening_range"]
    sent = pickle.loads(pickle.dumps(found))  # noqa: S301 - what a back-test gives to its processes
    for again in (decode(StrategyConfig, encode(found)), copy.deepcopy(found), sent):
        given: Any = again.strategies["mine"]
        assert (again, given["b"]) == (found, True)
        with pytest.raises(TypeError):
            given["b"] = False


def test_a_file_that_names_a_strategy_names_all_that_are_used() -> None:
    """Over `default`, what is not named is not used; what is keeps the parameters that `default` gives it."""
    default = load("default")
    assert over_default("[limits]\npositions_max = 3\n").strategies == default.strategies
    own = over_default("[signals]\nmin_votes = 1\n[strategies.opening_range]\n")
    assert own.strategies == {"opening_range": default.strategies["opening_range"]}
    with pytest.raises(ConfigError, match="2 votes, and momentum alone"):
        over_default("[signals]\nmin_votes = 2\n[strategies.momentum]\n")


def test_target_at_the_limit_is_refused_and_just_above_it_accepted() -> None:
    """The target has to be strictly larger than its stop plus twice the spread limit."""
    data = table()
    data["exits"]["stop_fallback_pct"] = Decimal("0.8")
    assert len(problems(data)) == 1
    data["exits"]["stop_fallback_pct"] = Decimal("0.801")
    assert parse(data).exits.stop_fallback_pct == Decimal("0.801")
