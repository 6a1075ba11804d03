"""Which of an owner's strategies passed `strategy check`: a register beside their files, by the hash of each file.

It stands in the owner's folder, so that it travels with the files and a build machine has it. What can go wrong: a file
is changed after it passed (its hash is another); the checks become stricter (`CHECKS` counts up, and what passed older
ones has not passed); the register is damaged (nothing has passed). What this promises: what did not pass as it stands
goes into no archive, so no function runs it. It guards against mistakes, not malice: whoever can write the folder can
write the register.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from shared.strategies import files

REGISTER = "checked.json"
CHECKS = 3
"""Counts up when the checks become stricter."""


def has_passed(path: Path) -> bool:
    """Tell whether a strategy's file passed as it stands."""
    row = _rows(path.parent).get(path.stem)
    return isinstance(row, Mapping) and row.get("sha256") == _hash(path) and row.get("checks") == CHECKS


def unchecked(folder: Path) -> tuple[str, ...]:
    """Name the strategies of an owner's folder that never passed as they stand."""
    return tuple(name for name, path in files.owners(folder).items() if not has_passed(path))


def entered(path: Path, content: bytes, at: datetime) -> bytes:
    """Give the register with a file of this content as one that passed; the others' rows stay as they are."""
    row = {"sha256": hashlib.sha256(content).hexdigest(), "checks": CHECKS, "at": at.isoformat(timespec="seconds")}
    return json.dumps({**_rows(path.parent), path.stem: row}, indent=2, sort_keys=True).encode() + b"\n"


def _rows(folder: Path) -> Mapping[str, object]:
    try:
        rows = json.loads((folder / REGISTER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return rows if isinstance(rows, dict) else {}


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
