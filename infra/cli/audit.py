"""`strategy audit`: write a run's audit trail to a file, and verify one."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.exits import BROKEN, explained

app = typer.Typer(
    help="Check that a run's log of every decision was not changed.\n\nSuch as `strategy audit verify runs/0001`.",
    no_args_is_help=True,
)

State = Annotated[Path | None, typer.Option(help="Folder of the run; without it the newest under runs/.")]


@app.command()
def export(
    state: State = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default audit.jsonl in the folder.")] = None,
) -> None:
    """Write a run's log of every decision, the audit trail, to a file.

    Such as `strategy audit export --state runs/0001`, also of a run that was interrupted.
    """
    from infra.simulated_day import audit, folder
    from infra.simulated_day.files import require_writable, write_atomically
    from infra.simulated_day.state import opened

    with explained(acts=True):
        run = state if state is not None else folder.newest()
        target = out if out is not None else run / audit.FILE
        with opened(run) as store:
            require_writable(target)
            content = audit.export(store)
        write_atomically(target, content)
        typer.echo(f"{len(content.splitlines())} lines written to {target}.")


@app.command()
def verify(
    trail_or_run: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE|DIR]", help="An exported trail, or the folder of a run.", show_default=False),
    ] = None,
    state: State = None,
) -> None:
    """Check an audit trail for changed, missing or added entries.

    Such as `strategy audit verify runs/0001`. The exit code is 1 when it was changed, and 2 when it cannot be read. The
    trail of a run is also compared with what the run stored beside it; a file is checked by itself.
    """
    from infra.simulated_day import audit, folder
    from infra.simulated_day.problems import UserError
    from infra.simulated_day.state import STATE_FILE, opened

    with explained():
        if trail_or_run is not None and state is not None:
            raise UserError("a trail and --state were both given", remedy="give one of them")
        named = trail_or_run or state or folder.newest()
        is_run = trail_or_run is None or named.is_dir()
        trail, left = (named / audit.FILE, named / STATE_FILE) if is_run else (named, None)
        events, sealed = audit.read(trail)
        verdict = audit.verify(events, sealed)
        if left is not None and left.is_file():
            with opened(left.parent) as store:
                verdict = replace(verdict, broken=(*verdict.broken, *audit.differences(events, store)))
    for sentence in audit.sentences(verdict, trail):
        typer.echo(sentence)
    if verdict.broken:
        raise typer.Exit(BROKEN)
