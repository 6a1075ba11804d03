"""Installs what a source of history or a Parquet file needs, the first time that one machine has one, and says so.

What can go wrong: a machine that never asks Yahoo carries 200 MB for it; a package is installed that nobody locked; a
lock was changed since, and an old version goes on. What this promises: an extra is looked for as its lock says it,
package by package; what is missing or of another version is installed from that lock alone, as wheels, each checked by
its hash; before that one line says what is installed and why. Nothing is ever installed in the cloud: there the lock of
the function has it.
"""

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from infra.tools.locks import ON_FIRST_USE, ROOT
from shared.errors import ConfigError

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>\S+) \\$", re.MULTILINE)
"""A package that every machine needs: what a lock asks of some alone has a marker behind its version."""


def ready(extra: str, *, say: Callable[[str], None], root: Path = ROOT) -> None:
    """Make sure that an extra of `ON_FIRST_USE` is installed as locked; install what is not, after a line about it.

    Raises ConfigError when it cannot be.
    """
    if extra not in ON_FIRST_USE:
        raise ConfigError((f"{extra} is no extra that is installed on first use ({', '.join(ON_FIRST_USE)})",))
    lock = root / "requirements" / f"{extra}.txt"
    wanted = missing(lock)
    if not wanted:
        return
    library, packages = ON_FIRST_USE[extra], len(wanted)
    packed = f"packages as {lock.name} locks them, {packages} in all"
    say(f"Installing {library} for {extra}, once: {packed}. It takes up to a minute.")
    call = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    call += ["--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)]
    done = subprocess.run(call, capture_output=True, check=False)  # what pip says may show a registry's password
    importlib.invalidate_caches()
    if done.returncode or missing(lock):
        by_hand = f"{sys.executable} -m pip install --require-hashes --only-binary :all: --requirement {lock}"
        raise ConfigError((f"{library} for {extra} could not be installed; to see why: {by_hand}",))


def missing(lock: Path) -> tuple[str, ...]:
    """Give the packages of a lock that are not here in its version, as "name version"; those of some machines apart."""
    pins = _PIN.finditer(lock.read_text(encoding="utf-8"))
    return tuple(f"{pin['name']} {pin['version']}" for pin in pins if _installed(pin["name"]) != pin["version"])


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
