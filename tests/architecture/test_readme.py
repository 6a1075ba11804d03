"""README says what the code says: the graph, the commands, the settings."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.main import app

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


def test_the_limits_are_the_limits() -> None:
    """Each figure of the strategy that README names is the one that ships."""
    shipped = tomllib.loads((ROOT / "shared" / "strategies" / "config" / "default.toml").read_text(encoding="utf-8"))
    told = re.findall(r"`([a-z]+)\.([a-z_]+)` ([\d.]+)", README)
    assert len(told) > 25
    assert {(room, name): Decimal(value) for room, name, value in told} == {
        (room, name): Decimal(str(shipped[room][name])) for room, name, _ in told
    }
