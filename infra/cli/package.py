"""`strategy package`: write the deployment archive of every function into a folder and show what each holds."""

import os
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from infra.archives import Archive, ArchiveError, build_all, passed, save
from infra.cli.exits import BROKEN, say
from infra.simulated_day.environment import own_strategies
from infra.simulated_day.files import require_writable, write_atomically
from infra.simulated_day.problems import UserError
from infra.tools.locks import ROOT
from shared.codec import dumps
from shared.settings import OWN_STRATEGIES


def run(*, out: Path, json_out: Path | None, root: Path = ROOT) -> None:
    """Build all archives, then write them; raises UserError for bad input and typer.Exit for a fault in the code."""
    _make(out)
    if json_out is not None:
        require_writable(json_out)
    try:
        own = own_strategies(os.environ).get(OWN_STRATEGIES)
        _require_checked(own)
        archives = build_all(root, Path(own) if own else None)
    except ArchiveError as problem:
        say(f"Error: {problem}")
        raise typer.Exit(BROKEN) from None
    if not archives:
        raise UserError(f"{root} holds no functions", remedy="run the command from a checkout of the project")
    try:
        for archive in archives:
            save(archive, out)
    except OSError as problem:
        raise _unwritable(out, problem) from None
    if json_out is not None:
        write_atomically(json_out, dumps([_plain(archive) for archive in archives]) + b"\n")
    Console().print(_table(archives))
    typer.echo(f"{len(archives)} archives written to {out}.")


def _require_checked(folder: str | None) -> None:
    """Refuse to package beside strategies that no function may run; raises UserError."""
    if wrong := passed.unchecked(Path(folder)) if folder else ():
        what = f"{', '.join(wrong)} of {folder} never passed `strategy check` as it stands now; nothing was written"
        raise UserError(what, remedy=f"run `strategy check {' '.join(wrong)}`, or move the file out of the folder")


def _make(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file", remedy="name a folder; it is made when it is missing")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _unwritable(out, problem) from None


def _unwritable(out: Path, problem: OSError) -> UserError:
    why = (problem.strerror or type(problem).__name__).lower()
    return UserError(f"{out} cannot be written: {why}", remedy="name a folder that is yours")


def _plain(archive: Archive) -> dict[str, object]:
    return {
        "function": archive.function,
        "archive": archive.name,
        "sha256": archive.sha256,
        "bytes": len(archive.content),
        "files": dict(archive.files),
        "rooms": dict(archive.rooms),
    }


def _table(archives: tuple[Archive, ...]) -> Table:
    table = Table(title="Archives, rooms by size in kB", title_justify="left", show_lines=True)
    table.add_column("Function", no_wrap=True)
    table.add_column("Files", justify="right")
    table.add_column("kB", justify="right")
    table.add_column("Rooms")
    table.add_column("Hash", no_wrap=True)
    for archive in archives:
        largest_first = sorted(archive.rooms.items(), key=lambda room: -room[1])
        rooms = "  ".join(f"{name} {size / 1000:.1f}" for name, size in largest_first)
        size = f"{len(archive.content) / 1000:.0f}"
        table.add_row(archive.function, str(len(archive.files)), size, rooms, archive.sha256[:16])
    return table
