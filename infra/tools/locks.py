"""Writes the hash-pinned lock files from the extras in pyproject.toml: `make lock`.

The lock of everything (requirements/dev.txt) is solved first; every other lock is solved within its versions,
so a package has one version in all of them. One stands apart (requirements/clients.txt): what others wrote, for tests
alone, installed into an environment of its own. `--upgrade` looks for newer versions; without it, what still fits
stays.
"""

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = "# Generated from pyproject.toml by `make lock`; do not edit.\n"
ON_FIRST_USE = {"alpaca": "alpaca-py", "parquet": "pyarrow", "yahoo": "yfinance"}
"""What a machine installs when it first asks such a source of history, or reads such a file: extra -> its library."""
SHIPS_TOO = {"market_history": ("alpaca", "yahoo")}
"""The extras that a function's lock holds beside its own: in the cloud nothing is installed on first use."""
NOT_A_FUNCTION = frozenset({"local", "infra", "dev", *ON_FIRST_USE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock file and the extras, or the group, whose dependencies it pins; what has wheels is locked as wheels, but
    for the packages that have `source` alone.
    """

    path: str
    extras: tuple[str, ...] = ()
    group: str = ""
    source: tuple[str, ...] = ()


APART = Lock(path="requirements/clients.txt", group="clients", source=("pyetrade",))
"""Two public clients of E*TRADE's, for the tests of the simulated broker."""


def locks(root: Path = ROOT) -> tuple[Lock, ...]:
    """Return the locks that the extras of pyproject.toml ask for, the lock of everything first."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = tuple(sorted(project["optional-dependencies"]))
    functions = tuple(name for name in extras if name not in NOT_A_FUNCTION)
    return (
        Lock(path="requirements/dev.txt", extras=extras),
        Lock(path="requirements/local.txt", extras=(*functions, "local")),
        Lock(path="infra/requirements.txt", extras=("infra",)),
        *(Lock(path=f"requirements/{name}.txt", extras=(name,)) for name in ON_FIRST_USE),
        *(
            Lock(path=f"functions/{name}/requirements.txt", extras=(name, *SHIPS_TOO.get(name, ())))
            for name in functions
        ),
    )


def command(lock: Lock, *, within: Lock | None, upgrade: bool) -> list[str]:
    """Return the solver call for one lock; no address of an index ever reaches the file."""
    call = [sys.executable, "-m", "uv", "pip", "compile", "--quiet"]
    call += ["--group", lock.group] if lock.group else ["pyproject.toml"]
    call += ["--universal", "--python-version", "3.11", "--only-binary", ":all:"]
    call += [word for package in lock.source for word in ("--no-binary", package)]
    call += ["--generate-hashes", "--no-header", "--no-annotate"]
    call += ["--no-emit-index-url", "--no-emit-find-links"]
    call += [word for extra in lock.extras for word in ("--extra", extra)]
    if within is not None:
        call += ["--constraint", within.path]
    if upgrade:
        call += ["--upgrade"]
    return [*call, "--output-file", lock.path]


def write(root: Path = ROOT, *, upgrade: bool = False) -> tuple[Path, ...]:
    """Solve and write every lock below the root; return the files."""
    everything, *others = locks(root)
    for lock in (everything, *others, APART):
        within = None if lock in {everything, APART} else everything
        call = command(lock, within=within, upgrade=upgrade)
        subprocess.run(call, cwd=root, check=True, stdout=subprocess.DEVNULL)  # uv repeats the whole file there
        file = root / lock.path
        file.write_text(HEADER + file.read_text(encoding="utf-8").removeprefix(HEADER), encoding="utf-8")
    return tuple(root / lock.path for lock in (everything, *others, APART))


if __name__ == "__main__":
    for written in write(upgrade="--upgrade" in sys.argv[1:]):
        sys.stdout.write(f"{written.relative_to(ROOT)}\n")
