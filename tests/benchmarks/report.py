"""What every measurement says of its machine, and the file that it leaves."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def machine() -> str:
    """Say how large and how busy the machine is."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{os.cpu_count()} cores, load {load} now; the machine's other work is in the times."


def tell(table: Table, notes: Sequence[str], rows: "Sequence[DataclassInstance]", path: Path | None) -> None:
    """Print the table and the notes, and write all that was measured where a file is named."""
    console = Console(width=150)
    console.print(table)
    for note in notes:
        console.print(note, highlight=False)
    if path is not None:
        _save(path, notes, rows)


def _save(path: Path, notes: Sequence[str], rows: "Sequence[DataclassInstance]") -> None:
    """Write the notes and every row with all that was measured for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {"platform": platform.platform(), "notes": list(notes), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(plain, indent=1, default=str) + "\n", encoding="utf-8")
