"""Copies of what the archives are built from, to change without harm."""

import os
import shutil
from pathlib import Path

from infra.archives import build_all
from tests.architecture.files import ROOT

PARTS = ("functions", "shared")


def copy_checkout(target: Path, source: Path = ROOT) -> Path:
    """Copy what archives are built from to `target`, without caches and with other times than the source."""
    for part in PARTS:
        shutil.copytree(source / part, target / part, ignore=shutil.ignore_patterns("__pycache__"), copy_function=_copy)
    _copy(str(source / "pyproject.toml"), str(target / "pyproject.toml"))
    return target


def hashes(root: Path) -> dict[str, str]:
    """Return the content hash of every function's archive."""
    return {archive.function: archive.sha256 for archive in build_all(root)}


def _copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.utime(target, (1_000_000_000, 1_000_000_000))
    Path(target).chmod(0o600)
