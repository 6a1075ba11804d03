"""What a person reads while the packages are installed: where it stands, and nothing of what pip prints."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.tools.install import EACH, told
from infra.tools.locks import ROOT

ADDRESS = "https://somebody:word@example.com/simple"


def test_every_tenth_package_has_a_line() -> None:
    """The number comes first, then a line for each ten packages and one for the unpacking, and nothing else."""
    pip = [f"Looking in indexes: {ADDRESS}", *(f"Collecting one{at}==1 (from -r x)" for at in range(25))]
    pip += ["  Downloading one.whl (1 kB)", "Installing collected packages: one0, one1", "Successfully installed one0"]
    lines = list(told(pip, 25))
    assert lines[0].startswith("Installing 25 packages")
    assert [line.strip() for line in lines[1:]] == ["10 of 25", "20 of 25", "All are here; unpacking them."]
    assert ADDRESS not in "".join(lines)


def test_what_is_here_already_counts() -> None:
    """Where another lock was installed before, its packages are counted as they pass."""
    lines = list(told([f"Requirement already satisfied: one{at}==1 in x" for at in range(EACH)], EACH))
    assert lines[1:] == [f"  {EACH} of {EACH}"]


def test_a_lock_that_cannot_be_installed_ends_with_pip_s_code(tmp_path: Path) -> None:
    """Where pip refuses, its own error is shown and its exit code is the command's, so that make stops."""
    lock = tmp_path / "lock.txt"
    lock.write_text("no requirement at all\n")
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "infra.tools.install", str(lock)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stdout.startswith("Installing 0 packages")
    assert "ERROR: " in done.stderr


@pytest.mark.parametrize("target", ["demo", "setup"])
def test_every_long_step_of_the_first_command_has_its_line(target: str) -> None:
    """From nothing, each step that takes seconds is preceded by a line; a recipe that says nothing is found."""
    assert _silent(_recipes(target)) == []
    assert _silent(["@$(COMPILE) $(VENV)/lib"]) == ["@$(COMPILE) $(VENV)/lib"]


def _recipes(target: str) -> list[str]:
    """Give what make would run for a target in a checkout without .venv, a line each."""
    done = subprocess.run(  # noqa: S603 - the Makefile's own targets
        ["make", "--dry-run", "--always-make", "--no-print-directory", f"PYTHON={sys.executable}", target],  # noqa: S607 - the machine's make
        cwd=ROOT,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.replace("\\\n", " ").splitlines()


def _silent(recipes: list[str]) -> list[str]:
    """Name the recipes that take seconds and come without a line before; the installation tells of itself."""
    slow = ("-m venv", "compileall", "COMPILE", "--editable", "strategy demo")
    return [
        one for at, one in enumerate(recipes)
        if any(word in one for word in slow) and (at == 0 or not recipes[at - 1].startswith("echo"))
    ]  # fmt: skip
