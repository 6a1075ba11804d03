"""The way from an idea to a played day stands in shared/strategies/README.md, and works as it stands."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from shared.domain.market.bars import Bar
from shared.domain.orders.positions import Position
from shared.strategies.config import load
from shared.strategies.indicators import RSI_BARS

ROOT = Path(__file__).parents[2]
WALK = (ROOT / "shared" / "strategies" / "README.md").read_text(encoding="utf-8")
LASTS_S = 1_200


def blocks(language: str) -> list[str]:
    """Give the README's blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", WALK, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Give the README's commands, in their order; what goes on at the time that its reader chooses is not run."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("strategy ") and not line.startswith("strategy up ")]


def run(command: str, folder: Path) -> str:
    """Run a command as a reader does in a folder, and give what it prints."""
    environ = {
        **os.environ, "STRATEGY_STRATEGIES": str(folder / "strategies"), "STRATEGY_TRIALS": str(folder / "trials"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    words = [sys.executable, "-m", "infra.cli.main", *command.split()[1:]]
    ended = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, timeout=LASTS_S, check=False)  # noqa: S603
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture
def walked(tmp_path: Path) -> Callable[[str], list[str]]:
    """Give a walk that runs the README's commands that begin so, after its files are written where it says."""
    (tmp_path / "strategies").mkdir()

    def walk(begins: str) -> list[str]:
        said = []
        for command in commands():
            if command.startswith(begins):
                said.append(run(command, tmp_path))
            if command.startswith("strategy new"):
                (strategy,), (configured,) = blocks("python"), blocks("toml")
                (tmp_path / "strategies" / "pull_back.py").write_text(strategy)
                (tmp_path / "mine.toml").write_text(configured)
        return said

    return walk


@pytest.mark.parametrize(
    ("kind", "begins"),
    [(Bar, "A bar of `view.bars`"), (Position, "`position` is what is held:")],
    ids=["bar", "position"],
)
def test_the_fields_are_those_of_the_code(kind: type[Bar | Position], begins: str) -> None:
    """Each field of a bar and of a position stands in its table, and nothing else does."""
    assert _fields(WALK, begins) == sorted(field.name for field in fields(kind))


def test_a_field_that_is_not_told_would_be_found() -> None:
    """Seeded mistake: a table without the volume of a bar is not that of the code."""
    poorer = WALK.replace("| `volume` | shares that traded |\n", "")
    assert _fields(poorer, "A bar of `view.bars`") != sorted(field.name for field in fields(Bar))


def _fields(text: str, begins: str) -> list[str]:
    """Give the names in the first column of the table that follows some words."""
    table = text.partition(begins)[2].partition("|---|---|\n")[2].partition("\n\n")[0]
    return sorted(name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0]))


def test_the_figures_of_the_rsi_are_those_that_ship() -> None:
    """The bounds that the README names for a purchase and a sale by the RSI are those of the default configuration."""
    told = re.findall(r"`(signals|exits)\.(rsi_\w+)` (\d+)", WALK)
    shipped = load("default")
    assert len(told) == 3
    assert all(getattr(getattr(shipped, room), name) == int(value) for room, name, value in told)
    assert f"{RSI_BARS + 1} bars of them" in WALK


def test_begun_written_and_checked(walked: Callable[[str], list[str]], tmp_path: Path) -> None:
    """The README's strategy is begun by its first command, and passes `strategy check` as it is printed there."""
    (begun,) = walked("strategy new")
    assert "strategy check pull_back" in begun
    (checked,) = walked("strategy check")
    assert "pull_back: passed" in checked
    assert not re.search(r"voted 0 times", checked)
    assert (tmp_path / "strategies" / "checked.json").is_file()


@pytest.mark.works(117)
@pytest.mark.days
@pytest.mark.timeout(1_800)  # a generated day of ten symbols, which a busy machine plays in ten minutes
@pytest.mark.parametrize(
    "looks", [pytest.param("", marks=pytest.mark.long), "20"], ids=["each second", "every few seconds"]
)
def test_the_whole_way(
    walked: Callable[[str], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: str
) -> None:
    """Every command of the README runs in its order, on nothing but the repository, and ends with a day's trades."""
    if looks:
        monkeypatch.setenv("ETRADE_RATE_LIMIT", looks)  # so few looks a minute trade, too, and are less work
    said = walked("strategy ")
    assert len(said) == len(commands())
    assert (tmp_path / "day-1" / "report.html").is_file()
    assert "pull back" in (tmp_path / "day-1" / "report.html").read_text()
    assert "closed trades" in said[-1]
