"""The environment of the two clients: made on first use, from their own lock, and kept until that changes."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.tools.locks import APART, ROOT
from tests.once import locked

REQUIRED = "REQUIRE_CLIENTS"


@pytest.fixture(scope="session")
def python() -> Path:
    """Give the interpreter of the environment that has both clients; skip where they cannot be installed."""
    lock = ROOT / APART.path
    name = hashlib.sha256(f"{sys.version}\n{sys.prefix}\n".encode() + lock.read_bytes()).hexdigest()[:16]
    folder = ROOT / "build" / "clients" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if not (folder / "whole").exists() and not _installed(lock, folder):
            sentence = f"the clients of {APART.path} could not be installed: is there a package index?"
            if os.environ.get(REQUIRED) == "1":
                pytest.fail(f"{sentence} {REQUIRED}=1 wants them")
            pytest.skip(sentence)
    return folder / "bin" / "python"


def _installed(lock: Path, folder: Path) -> bool:
    """Install what the lock has, wheels first, each file checked by its hash; whether that succeeded."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)  # noqa: S603 - our own folder
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
    source = [entry for entry in entries if entry.partition("==")[0] in APART.source]
    wheels = [entry for entry in entries if entry not in source]
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    # What is published as source alone is built by what the lock has for that, not by what an index offers.
    built = ("--no-deps", "--no-build-isolation", "--no-binary", ":all:")
    for wanted, how in ((wheels, ("--only-binary", ":all:")), (source, built)):
        file = folder / "wanted.txt"
        file.write_text("\n".join([*wanted, ""]), encoding="utf-8")
        words = ["install", "--quiet", "--no-input", "--retries", "1", "--no-compile", "--require-hashes", *how]
        # What pip says may show a registry's password.
        done = subprocess.run([*pip, *words, "--requirement", str(file)], capture_output=True, check=False)  # noqa: S603
        if done.returncode:
            return False
    (folder / "whole").touch()
    return True
