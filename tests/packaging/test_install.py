"""The locks against the package index: slow, and in need of one (make long)."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.tools.locks import APART, ROOT, Lock, locks, write

PYTHONS = ("3.11", "3.12", "3.13")
LOCKS = locks()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.path)
def test_lock_installs_from_wheels(lock: Lock, python: str, tmp_path: Path) -> None:
    """Each lock installs from wheels alone, with every hash checked, for each supported Python on Linux."""
    call = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    call += ["--python-version", python, "--python-platform", "x86_64-manylinux_2_28"]
    call += ["--target", str(tmp_path / "target"), "--requirement", str(ROOT / lock.path)]
    result = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert result.returncode == 0, result.stderr


@pytest.mark.long
@pytest.mark.timeout(600)
def test_locking_again_changes_nothing(tmp_path: Path) -> None:
    """Solving again from the committed locks gives the same files to the byte."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for lock in (*LOCKS, APART):
        (tmp_path / lock.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / lock.path, tmp_path / lock.path)
    for file in write(tmp_path):
        assert file.read_bytes() == (ROOT / file.relative_to(tmp_path)).read_bytes()
