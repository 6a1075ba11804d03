"""A source's libraries are installed when it is first used, as locked, with one line; and never anything else."""

import hashlib
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.tools.extras import missing, ready
from infra.tools.locks import ON_FIRST_USE, ROOT
from shared.errors import ConfigError

NAME = "made-for-a-test"
MODULE = "made_for_a_test"


@dataclass(kw_only=True)
class Machine:
    """A checkout with a lock, wheels beside it, and a folder that is installed into."""

    root: Path
    wheels: Path
    site: Path
    said: list[str] = field(default_factory=list)

    def lock(self, number: str, content: str = "") -> None:
        """Make a wheel of a version, and lock it by its hash."""
        wheel = self.wheels / f"{MODULE}-{number}-py3-none-any.whl"
        about = f"{MODULE}-{number}.dist-info"
        with zipfile.ZipFile(wheel, "w") as whole:
            whole.writestr(f"{MODULE}.py", content)
            whole.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {number}\n")
            whole.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            whole.writestr(f"{about}/RECORD", "")
        pin = f"{NAME}=={number} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
        (self.root / "requirements" / "yahoo.txt").write_text(pin)

    def ready(self) -> None:
        """Ask for the extra."""
        ready("yahoo", say=self.said.append, root=self.root)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Give a machine whose pip knows no index and installs into a folder of its own."""
    made = Machine(root=tmp_path, wheels=tmp_path / "wheels", site=tmp_path / "site")
    for folder in (made.wheels, made.site, tmp_path / "requirements"):
        folder.mkdir()
    environ = {"NO_INDEX": "1", "FIND_LINKS": str(made.wheels), "TARGET": str(made.site), "UPGRADE": "1"}
    for name, value in environ.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setattr(sys, "path", [*sys.path, str(made.site)])
    return made


def test_the_first_use_installs_and_says_so(machine: Machine) -> None:
    """The first use installs with one line; the second finds it there and says nothing."""
    machine.lock("1.0")
    machine.ready()
    assert (machine.site / f"{MODULE}.py").exists()
    said = "Installing yfinance for yahoo, once: packages as yahoo.txt locks them, 1 in all. It takes up to a minute."
    assert machine.said == [said]
    for wheel in machine.wheels.iterdir():
        wheel.unlink()
    machine.ready()
    assert len(machine.said) == 1


def test_a_changed_lock_is_followed(machine: Machine) -> None:
    """A machine that has the version of an older lock gets the one that is locked now."""
    machine.lock("1.0")
    machine.ready()
    machine.lock("1.1")
    assert missing(machine.root / "requirements" / "yahoo.txt") == ("made-for-a-test 1.1",)
    machine.ready()
    assert missing(machine.root / "requirements" / "yahoo.txt") == ()
    assert len(machine.said) == 2


def test_another_file_than_was_locked_is_not_installed(machine: Machine) -> None:
    """A wheel of another content than the lock's hash is refused, and nothing is installed."""
    machine.lock("1.0")
    lock = (machine.root / "requirements" / "yahoo.txt").read_text()
    machine.lock("1.0", content="import os\n")
    (machine.root / "requirements" / "yahoo.txt").write_text(lock)
    with pytest.raises(ConfigError, match="could not be installed"):
        machine.ready()
    assert list(machine.site.iterdir()) == []


def test_what_cannot_be_had_is_said(machine: Machine) -> None:
    """Where the package cannot be had the error names the source and how to see why, and nothing of pip's answer."""
    machine.lock("1.0")
    for wheel in machine.wheels.iterdir():
        wheel.unlink()
    with pytest.raises(ConfigError) as refused:
        machine.ready()
    assert "yfinance for yahoo could not be installed; to see why:" in refused.value.detail
    assert "No matching" not in refused.value.detail


def test_only_these_extras_are_installed(machine: Machine) -> None:
    """Another name than those of the sources installs nothing."""
    with pytest.raises(ConfigError):
        ready("dev", say=machine.said.append, root=machine.root)
    assert machine.said == []


@pytest.mark.parametrize("extra", ON_FIRST_USE)
def test_a_lock_is_read_package_by_package(extra: str) -> None:
    """Where everything is installed nothing of a real lock is missing."""
    assert missing(ROOT / "requirements" / f"{extra}.txt") == ()


def test_seeded_versions_are_missing(tmp_path: Path) -> None:
    """Seeded mistake: each package of a real lock in another version is missing, but for those of some machines."""
    text = (ROOT / "requirements" / "yahoo.txt").read_text()
    pins = [line for line in text.splitlines() if "==" in line]
    (tmp_path / "lock.txt").write_text(text.replace("==", "==0.0."))
    assert len(missing(tmp_path / "lock.txt")) == len([line for line in pins if " ; " not in line]) > 10
