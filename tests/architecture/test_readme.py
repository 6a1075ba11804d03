"""The READMEs say what the code says: graph, commands, settings, figures, and the tests that hold what was found."""

import ast
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typer.main import get_command
from typer.testing import CliRunner

from infra.cli.helps import GROUPS
from infra.cli.main import app
from infra.cli.permissions import CONSEQUENCES
from shared import settings
from shared.stored import Domain
from shared.topology import ACCESS_TOKEN, ALPACA_KEY, HALT_KEY, SIGN_IN_KEY, TOPOLOGY, Function, Right
from tests.architecture.files import ROOT, texts

READMES = texts(suffix="README.md")
README, FUNCTIONS, SHARED = (READMES[f"{room}README.md"] for room in ("", "functions/", "shared/"))
LINES, WORDS, PICTURE_BYTES = 140, 680, 200_000


def test_the_picture_of_the_graph_is_the_graph() -> None:
    """The Mermaid block in functions/README.md is what `strategy topology --mermaid` prints."""
    block = re.search(r"```mermaid\n(.*?)```", FUNCTIONS, re.DOTALL)
    assert block is not None
    assert block[1].strip() == CliRunner().invoke(app, ["topology", "--mermaid"]).output.strip()


def test_the_permissions_are_the_permissions() -> None:
    """The matrix in functions/README.md, between its two markers, is what `strategy topology --matrix` prints."""
    block = re.search(r"<!-- matrix: strategy topology --matrix -->\n(.*?)<!-- end of matrix -->", FUNCTIONS, re.DOTALL)
    assert block is not None
    assert block[1].strip() == CliRunner().invoke(app, ["topology", "--matrix"]).output.strip()


def test_what_is_left_to_a_taken_over_function_is_printed() -> None:
    """The table in functions/README.md is what `strategy topology --taken-over` prints."""
    marks = r"<!-- taken over: strategy topology --taken-over -->\n(.*?)<!-- end of taken over -->"
    block = re.search(marks, FUNCTIONS, re.DOTALL)
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


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`strategy ([a-z-]+)", "\n".join(READMES.values())))))
def test_every_command_that_a_readme_names_exists(command: str) -> None:
    """Each `strategy` command in a README answers to --help."""
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_every_command_has_its_line() -> None:
    """The list in the root README has one line for each command, in a paragraph for each group of `strategy --help`."""
    block = re.search(r"```text\n(.*?)```", README.partition("\n## Commands\n")[2], re.DOTALL)
    assert block is not None
    groups = [re.findall(r"^([a-z-]+) +\S.*$", part, re.MULTILINE) for part in block[1].split("\n\n")]
    assert [len(group) for group in groups] == [len(part.splitlines()) for part in block[1].split("\n\n")]
    assert [sorted(group) for group in groups] == [sorted(names) for names in GROUPS.values()]
    known = getattr(get_command(app), "commands")  # noqa: B009 - a group, which the type hides
    assert sorted(name for group in groups for name in group) == sorted(known)


def _hurried(text: str) -> list[str]:
    """Name each start of a faster day that leaves no time to sign in before the open."""
    return [one for one in re.findall(r"strategy up [^`#\n]*--speed \d[^`#\n]*", text) if "--starts" not in one]


def test_a_faster_day_starts_early_enough_to_sign_in() -> None:
    """Wherever a person reads how to start a day at twenty times its pace it starts at 9:05: a minute to sign in."""
    said = {**READMES, **{name: text for name, text in texts(suffix=".py").items() if name.startswith("infra/cli/")}}
    assert sum("--starts 09:05" in text for text in said.values()) >= 4
    assert [(name, one) for name, text in said.items() for one in _hurried(text)] == []
    assert _hurried("```sh\nstrategy up --speed 20   # fast\n```") == ["strategy up --speed 20   "]


def _words(readme: str) -> int:
    """Count what has a letter or a digit, in tables and code too, but not the picture nor the addresses of links."""
    shown = re.sub(r"\]\([^)]*\)", "]", re.sub(r"^!\[.*$", "", readme, flags=re.MULTILINE))
    return sum(any(map(str.isalnum, one)) for one in shown.split())


def test_the_first_readme_is_short() -> None:
    """A stranger reads the root README in three minutes: it has few lines and words, and its picture is small."""
    assert _words("![a picture](of/it)\nA [link](to/a/page) | and\n```sh\nsome code\n```\nmore.") == 7
    assert _words(README) <= WORDS
    assert len(README.splitlines()) <= LINES
    (picture,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert (ROOT / picture).stat().st_size <= PICTURE_BYTES


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)", "\n".join(READMES.values())))))
def test_every_target_that_a_readme_names_exists(target: str) -> None:
    """Each `make` target in a README is in the Makefile."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_setting_is_in_the_table() -> None:
    """The table in shared/README.md names each setting that the functions read."""
    source = (ROOT / "shared" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"((?:ETRADE|STRATEGY)_[A-Z_]+)"', source))
    assert read
    assert read <= set(re.findall(r"`((?:ETRADE|STRATEGY)_[A-Z_]+)`", SHARED))


def _other_defaults(readme: str) -> list[str]:
    """Name each setting that changes where it is given what the table calls its default; words stand for nothing."""
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
    """The table in shared/README.md names the code's default of each setting, and another one is found."""
    assert _other_defaults(SHARED) == []
    assert _other_defaults(SHARED.replace(" changed by nothing | 5 |", " changed by nothing | 6 |")) == [
        "STRATEGY_CLOSE_DOUBT_PERCENT"
    ]


def _torn(text: str) -> list[str]:
    """Give the rows of tables that have another number of cells than the row above them."""
    torn, cells = [], 0
    for line in text.splitlines():
        before, cells = cells, line.replace("\\|", "").count("|") if line.startswith("|") else 0
        torn += [line] if before and cells and before != cells else []
    return torn


@pytest.mark.parametrize("name", READMES)
def test_every_row_of_a_table_is_whole(name: str) -> None:
    """Each row of a README's table has as many cells as the table: no figure stands beside another's command."""
    assert _torn(READMES[name]) == []
    assert _torn("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n| 4 |") == ["| 1 | 2 | 3 |", "| 4 |"]


SHIPPED = tomllib.loads((ROOT / "shared" / "strategies" / "config" / "default.toml").read_text(encoding="utf-8"))


def test_the_limits_are_the_limits() -> None:
    """Each figure of the strategy that shared/README.md names is the one that ships."""
    told = re.findall(r"`([a-z]+)\.([a-z_]+)` ([\d.]+)", SHARED)
    assert len(told) > 25
    assert {(room, name): Decimal(value) for room, name, value in told} == {
        (room, name): Decimal(str(SHIPPED[room][name])) for room, name, _ in told
    }


IN_WORDS = {
    "universe.price_min": "a price from ${}", "universe.price_max": " to ${},",
    "universe.day_volume_min": "at least {} shares traded today",
    "universe.jump_max_pct": "nothing more than {} % away",
    "signals.min_votes": "at least {} of them have to agree",
    "signals.rsi_min": "an RSI from {} to", "signals.rsi_max": " to {};",
    "entry.late_minutes": "nothing in the last {} minutes", "entry.cancel_after_s": "cancelled after {} s",
    "quotes.halt_pause_minutes": "until {} minutes after it moves again",
    "sizing.base_pct": "{} % of equity an entry", "sizing.max_pct": "at most {} % in one symbol",
    "sizing.reserve_pct": "{} % of equity stays cash", "sizing.min_usd": "at least ${}.",
    "limits.positions_max": "up to {} positions", "limits.entries_per_day": "{} entries a day",
    "limits.symbol_cooldown_minutes": "{} minutes between two in one symbol",
    "limits.cooldown_minutes": "{} minutes' pause", "limits.losses_in_a_row": "after {} losses in a row",
    "limits.order_usd_max": "at most ${} and", "limits.order_shares_max": "and {} shares",
    "exits.atr_factor": "{} ATR below", "exits.stop_min_pct": "at least {} % and",
    "exits.stop_max_pct": "and at most {} %",
    "exits.trail_pct": "it follows {} % below the high", "exits.target_factor": "at {} times the stop's distance",
    "exits.rsi_min": "RSI falls below {};", "exits.hold_max_minutes": "after {} minutes;",
    "exits.flatten_minutes": "from {} minutes before the close", "exits.market_minutes": "at the market from {} |",
    "limits.daily_loss_pct": "of {} % of the capital", "limits.drawdown_pct": "a halt after {} %",
}  # fmt: skip
"""How shared/README.md says each limit in words."""

FIRST = {
    "universe.price_min": "a price from ${}", "universe.price_max": " to ${},",
    "signals.min_votes": "at least {} of 4",
    "sizing.base_pct": "{} % of equity a purchase", "sizing.max_pct": "at most {} % in one symbol",
    "sizing.reserve_pct": "{} % stays cash",
    "limits.positions_max": "up to {} positions", "limits.entries_per_day": "{} purchases a day",
    "limits.order_usd_max": "at most ${} and", "limits.order_shares_max": "and {} shares",
    "exits.stop_min_pct": "{} % to", "exits.stop_max_pct": "to {} % below", "exits.target_factor": "at {} times",
    "exits.rsi_min": "at a loss once the RSI falls below {};",
    "exits.hold_max_minutes": "after {} minutes;", "exits.flatten_minutes": "from {} minutes before the close",
    "limits.daily_loss_pct": "of {} % of the capital", "limits.drawdown_pct": "a halt after {} %",
}  # fmt: skip
"""How the root README says each figure that an owner has to know first."""


def _misquoted(readme: str, section: str, said: dict[str, str]) -> list[str]:
    """Name each figure that a section of a README says otherwise than it ships."""
    table = " ".join(readme.partition(f"\n## {section}\n")[2].partition("\n## ")[0].split())
    values = {f"{room}.{name}": value for room, names in SHIPPED.items() for name, value in names.items()}
    return [name for name, words in said.items() if words.format(f"{values[name]:,}") not in table]


@pytest.mark.parametrize(
    ("readme", "section", "said"),
    [(SHARED, "Every limit in words", IN_WORDS), (README, "What it does with your money", FIRST)],
    ids=["shared", "root"],
)
def test_the_limits_in_words_are_the_limits(readme: str, section: str, said: dict[str, str]) -> None:
    """Each figure in the two tables of limits in words is the one that ships, and another one is found."""
    assert _misquoted(readme, section, said) == []
    other = readme.replace("of 2 % of the capital", "of 3 % of the capital")
    assert _misquoted(other, section, said) == ["limits.daily_loss_pct"]


def _anchors(text: str) -> set[str]:
    """Give the anchors of a text's headings, made as GitHub makes them."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found.append(f"{plain}-{same}" if (same := found.count(plain)) else plain)
    return set(found)


def _dead_links(name: str, text: str) -> list[str]:
    """Give the relative links of a README that lead to no file or to no heading."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not link.startswith("https://") and not (
            target.exists() and (not anchor or anchor in _anchors(target.read_text(encoding="utf-8")))
        ):
            dead.append(link)
    return dead


@pytest.mark.parametrize("name", READMES)
def test_every_link_leads_somewhere(name: str) -> None:
    """Each relative link of a README leads to a file, each anchor to a heading of it, and a dead one is found."""
    assert _dead_links(name, READMES[name]) == []
    assert _dead_links("README.md", "[a](shared/README.md#safety) [b](shared/README.md#gone) [c](gone.md) [d](#e)") == [
        "shared/README.md#gone", "gone.md", "#e",
    ]  # fmt: skip


def _misread(text: str) -> list[str]:
    """Give each block of Markdown in which an asterisk inside a word, as in E*TRADE, is taken for emphasis."""
    found = []
    for block in MarkdownIt("commonmark").enable("table").parse(text):
        before = ""
        for part in block.children or []:
            if part.type in ("em_open", "strong_open") and before[-1:].isalnum():
                found.append(block.content)
            before = part.content
    return found


@pytest.mark.parametrize("name", [*READMES, "CHANGELOG.md"])
def test_the_broker_s_name_is_no_emphasis(name: str) -> None:
    """No asterisk of E*TRADE sets the words up to the next one in italics and is lost; two in one block are found."""
    assert _misread((ROOT / name).read_text(encoding="utf-8")) == []
    assert _misread("What E*TRADE says to E*TRADE.\n\nE\\*TRADE, *so* E*TRADE") == ["What E*TRADE says to E*TRADE."]


def _unknown_sections(source: str) -> list[str]:
    """Give each section of a README that is named, as in `tests/README.md, Measured`, and is not there."""
    named = re.findall(r"\b((?:\w+/)+README\.md), ([A-Z]\w+(?: \w+)*)", source)
    return [f"{name}, {section}" for name, section in named if f"\n## {section}" not in READMES.get(name, "")]


def test_every_section_that_code_names_is_there() -> None:
    """A section of a README that a module refers to is one of its headings, and another one is found."""
    assert [one for text in texts(suffix=".py").values() for one in _unknown_sections(text)] == []
    readme = "tests/README.md"
    assert _unknown_sections(f"({readme}, Gone) ({readme}, Measured)") == [f"{readme}, Gone"]


def test_every_readme_can_be_found() -> None:
    """From the root README links lead to every other one."""
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", README)}
    assert set(READMES) - {"README.md"} <= linked


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
