"""`strategy --version`: the package's version, and the commit of the checkout that it runs from."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from infra.tools.locks import ROOT

PACKAGE = "etrade-strategy"
_LOOK = ("describe", "--always", "--dirty", "--exclude=*")
_WAIT_S = 10.0


def said(root: Path = ROOT) -> str:
    """Give a line such as `strategy 0.1.0, commit ac2ee2a, changed since`; without git no commit is named."""
    try:
        release = version(PACKAGE)
    except PackageNotFoundError:
        release = "of an unknown version"
    commit, _, changed = _commit(root).partition("-")
    return f"strategy {release}" + (f", commit {commit}" if commit else "") + (", changed since" if changed else "")


def _commit(root: Path) -> str:
    """Give the short name of the checkout's commit, with `-dirty` behind it where files differ; "" if unknown."""
    if not (root / ".git").exists():
        return ""
    try:
        asked = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(root), *_LOOK],  # noqa: S607 - the user's own git
            capture_output=True, text=True, check=True, timeout=_WAIT_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()
