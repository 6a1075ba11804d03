"""README says what the code says: the graph, the commands, the settings, the tests that hold what was found."""

import ast
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.main import app
from infra.cli.permissions import CONSEQUENCES
from shared import settings
from shared.stored import Domain
from shared.topology import ACCESS_TOKEN, ALPACA_KEY, HALT_KEY, SIGN_IN_KEY, TOPOLOGY, Function, Right

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_picture_of_the_graph_is_the_graph() -> None:
    """README's Mermaid block is what `strategy topology --mermaid` prints."""
    block = re.search(r"```mermaid\n(.*?)```", README, re.DOTALL)
    assert block is not None
    assert block[1].strip() == CliRunner().invoke(app, ["topology", "--mermaid"]).output.strip()


def test_the_permissions_are_the_permissions() -> None:
    """README's matrix, between its two markers, is what `strategy topology --matrix` prints."""
    block = re.search(r"<!-- matrix: strategy topology --matrix -->\n(.*?)<!-- end of matrix -->", README, re.DOTALL)
    assert block is not None
    assert block[1].strip() == CliRunner().invoke(app, ["topology", "--matrix"]).output.strip()


def test_what_is_left_to_a_taken_over_function_is_printed() -> None:
    """The table in functions/README.md is what `strategy topology --taken-over` prints."""
    text = (ROOT / "functions" / "README.md").read_text(encoding="utf-8")
    marks = r"<!-- taken over: strategy topology --taken-over -->\n(.*?)<!-- end of taken over -->"
    block = re.search(marks, text, re.DOTALL)
    assert block is not None
    assert block[1].strip() == CliRunner().invoke(app, ["topology", "--taken-over"]).output.strip()


CLAIMS: dict[str, Callable[[Function], bool]] = {
    "can place any order at E*TRADE": lambda one: Right.READ in one.secrets.get(ACCESS_TOKEN, Right(0)),
    "cannot read the day's token": lambda one: Right.READ not in one.secrets.get(ACCESS_TOKEN, Right(0)),
    "end the day's token": lambda one: Right.WRITE in one.secrets.get(ACCESS_TOKEN, Right(0)),
    "write all of the book": lambda one: one.home is Domain.BOOK,
    "cannot write the book": lambda one: one.home is not Domain.BOOK,
    "tell the owner anything": lambda one: "notices" in one.publishes or one.home is Domain.NOTICES,
    "make links for sign-in": lambda one: SIGN_IN_KEY in one.secrets,
    "make links for halts": lambda one: HALT_KEY in one.secrets,
    "ask Alpaca in the owner's name": lambda one: ALPACA_KEY in one.secrets,
    "halt trading": lambda one: "halt-asks" in one.publishes,
    "false signals": lambda one: "signals" in one.publishes,
    "take the stop from what is held": lambda one: one.home is Domain.MARKET,
    "leave stops out": lambda one: one.home is Domain.BOOK,
    "point the record at another token": lambda one: one.home is Domain.SIGN_IN,
}  # fmt: skip
"""What a sentence about a taken-over function may claim, and the rights with which it has to."""


def _untrue(function: Function, said: str) -> list[str]:
    return [claim for claim, holds in CLAIMS.items() if (claim in said) != holds(function)]


@pytest.mark.parametrize("function", TOPOLOGY.functions, ids=lambda one: one.name)
def test_what_is_said_of_a_taken_over_function_agrees_with_its_rights(function: Function) -> None:
    """Every function has its sentence, each claim stands just where the rights are so, and a wrong right is found."""
    assert set(CONSEQUENCES) == {one.name for one in TOPOLOGY.functions}
    said = CONSEQUENCES[function.name]
    assert _untrue(function, said) == []
    holds = Right.READ in function.secrets.get(ACCESS_TOKEN, Right(0))
    other = replace(function, secrets={**function.secrets, ACCESS_TOKEN: Right.CREATE if holds else Right.READ})
    assert "can place any order at E*TRADE" in _untrue(other, said)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`strategy ([a-z-]+)", README))))
def test_every_command_that_readme_names_exists(command: str) -> None:
    """Each `strategy` command in README answers to --help."""
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)", README))))
def test_every_target_that_readme_names_exists(target: str) -> None:
    """Each `make` target in README is in the Makefile."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_setting_is_in_readme() -> None:
    """README's table names each setting that the functions read."""
    source = (ROOT / "shared" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"((?:ETRADE|STRATEGY)_[A-Z_]+)"', source))
    assert read
    assert read <= set(re.findall(r"`((?:ETRADE|STRATEGY)_[A-Z_]+)`", README))


def _other_defaults(readme: str) -> list[str]:
    """Name each setting that changes where it is given what README calls its default; words stand for nothing."""
    found: dict[str, str] = {}
    for row in re.findall(r"^\| (`(?:ETRADE|STRATEGY)_.*)\|$", readme, re.MULTILINE):
        names, _, default = (one.strip() for one in row.split(" | "))
        named = re.findall(r"`([A-Z_]+)`", names)
        told = default.replace("`", "") if re.fullmatch(r"`.*`|[\d, ]+", default) else ""
        found |= dict(zip(named, told.split(", ") if len(named) > 1 and told else [told] * len(named), strict=True))
    shipped = settings.load(settings.LEAST)
    return [
        name for name in sorted(settings.NAMES - settings.LEAST.keys())
        if settings.load(settings.LEAST | {name: found[name]}) != shipped
    ]  # fmt: skip


def test_the_defaults_are_the_defaults() -> None:
    """README's table names the default that the code has for each setting, and another one is found."""
    assert _other_defaults(README) == []
    assert _other_defaults(README.replace(" changed by nothing | 5 |", " changed by nothing | 6 |")) == [
        "STRATEGY_CLOSE_DOUBT_PERCENT"
    ]


def _torn(text: str) -> list[str]:
    """Give the rows of tables that have another number of cells than the row above them."""
    torn, cells = [], 0
    for line in text.splitlines():
        before, cells = cells, line.replace("\\|", "").count("|") if line.startswith("|") else 0
        torn += [line] if before and cells and before != cells else []
    return torn


@pytest.mark.parametrize("path", [ROOT / "README.md", *ROOT.glob("[a-z]*/README.md")], ids=lambda one: one.parent.name)
def test_every_row_of_a_table_is_whole(path: Path) -> None:
    """Each row of a README's table has as many cells as the table: no figure stands beside another's command."""
    text = path.read_text(encoding="utf-8")
    assert _torn(text) == []
    assert _torn("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n| 4 |") == ["| 1 | 2 | 3 |", "| 4 |"]


def test_the_limits_are_the_limits() -> None:
    """Each figure of the strategy that README names is the one that ships."""
    shipped = tomllib.loads((ROOT / "shared" / "strategies" / "config" / "default.toml").read_text(encoding="utf-8"))
    told = re.findall(r"`([a-z]+)\.([a-z_]+)` ([\d.]+)", README)
    assert len(told) > 25
    assert {(room, name): Decimal(value) for room, name, value in told} == {
        (room, name): Decimal(str(shipped[room][name])) for room, name, _ in told
    }


def _defined(path: Path) -> set[str]:
    """Give the functions and classes of a file, none where there is no such file."""
    tree = ast.parse(path.read_text(encoding="utf-8") if path.is_file() else "")
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}


def _unheld(rows: list[str]) -> list[str]:
    """Name each test of the rows that is not there, and each finding without one in both of its columns."""
    found = []
    for row in rows:
        finding, *columns = (one.strip() for one in row.strip("|").split("|"))
        named = [re.findall(r"`([\w/]+\.py)::(\w+)`", column) for column in columns]
        found += [finding] if len(named) != 2 or not all(named) else []
        found += [f"{path}::{name}" for each in named for path, name in each if name not in _defined(TESTS / path)]
    return found


TESTS = ROOT / "tests"
_TABLE = (TESTS / "README.md").read_text(encoding="utf-8").partition("## What an attacker found")[2].partition("\n## ")
_ROWS = [line for line in _TABLE[0].splitlines() if line.startswith("| ")][1:]


def test_what_an_attacker_found_is_held_by_tests_that_exist() -> None:
    """Each row of the table in tests/README.md names a test and a seeded mistake, and every name is in its file."""
    assert len(_ROWS) >= 30
    assert _unheld(_ROWS) == []


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("| a | `doors/test_gone.py::test_a` | `doors/test_guard.py::NAMES` |",
         ["doors/test_gone.py::test_a", "doors/test_guard.py::NAMES"]),
        ("| a | `doors/test_guard.py::test_topics_are_as_declared` | none |", ["a"]),
        ("| a | `doors/test_guard.py::test_topics_are_as_declared` |", ["a"]),
    ],
)  # fmt: skip
def test_a_test_that_is_not_there_is_named(row: str, found: list[str]) -> None:
    """A name that no file defines, and a finding without a test or a seeded mistake, are told."""
    assert _unheld([row]) == found
