"""`strategy new` and `strategy check`: begin a strategy of one's own, and find out whether it may be run."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.exits import BROKEN, explained, say
from infra.simulated_day.problems import UserError
from shared.settings import OWN_STRATEGIES
from shared.strategies import files

if TYPE_CHECKING:
    from infra.strategies.checking import Checked

FOLDER = "strategies"
SPAN = "--from 2013-03-04 --to 2013-03-28 --data generated"


def folder_of_ones_own() -> str:
    """Give the folder of the owner's strategies: STRATEGY_STRATEGIES, else ./strategies if it is there, else ""."""
    from infra.simulated_day.environment import own_strategies

    said = own_strategies(os.environ).get(OWN_STRATEGIES, "")
    return said or (str(Path(FOLDER).resolve()) if Path(FOLDER).is_dir() else "")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits and _, such as pull_back.")],
    model: Annotated[str, typer.Option("--from", metavar="STRATEGY", help="The strategy to begin from.")] = "momentum",
) -> None:
    """Begin a strategy of your own: its file and its test.

    Such as `strategy new pull_back --from momentum`, for who writes Python. It goes into the folder that the variable
    STRATEGY_STRATEGIES names, else ./strategies.
    """
    from infra.strategies.begun import begin

    with explained(acts=True):
        said = os.environ.get(OWN_STRATEGIES, "").strip()
        folder = Path(said or FOLDER).resolve()
        begun = begin(name, model=model, folder=folder)
        typer.echo(f"{begun.strategy} begins as a copy of {begun.model}; its test is {begun.test.name}.")
        if not said:
            typer.echo(f"So that every command finds it:\n  export {OWN_STRATEGIES}={folder}")
        typer.echo(f"Next:\n  strategy check {name}\n  strategy backtest {SPAN} --strategy {name}")


def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Without any: all of your own.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that ship.")] = False,
) -> None:
    """Check strategies before they may trade.

    Such as `strategy check NAME`, or `strategy check --all`: their form, that they see nothing of the future, and that
    the same prices give the same answer. What passes may be run by `up` and in the cloud.
    """
    from infra.strategies.checking import LASTS_S
    from infra.strategies.checking import check as look

    with explained(acts=True):
        folder = folder_of_ones_own()
        asked, checked = names or _own(folder, every=every), []
        for turn, name in enumerate(asked, 1):
            say(f"Checking {name} ({turn} of {len(asked)}): up to {LASTS_S // 60} minutes.")
            checked.append(look(name, folder))
            _tell(checked[-1])
        if not all(one.passed for one in checked):
            raise typer.Exit(BROKEN)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (new, check):
        app.command()(command)


def _tell(checked: "Checked") -> None:
    typer.echo(f"{checked.name}: {'passed' if checked.passed else 'did not pass'} ({checked.path})")
    for kind, what, remedy in checked.findings:
        typer.echo(f"  {kind}: {what}.\n    Remedy: {remedy}.")
    figures = checked.figures
    if figures.get("asked"):
        typer.echo(
            f"  Asked {figures['asked']} times on a generated day, it voted {figures['votes']} times. CPU for one "
            f"answer: median {figures['p50_ms']:.2f} ms, 99 of 100 within {figures['p99_ms']:.2f} ms, longest "
            f"{figures['longest_ms']:.1f} ms."
        )
        if not figures["votes"]:
            typer.echo(
                "  It never voted there: it may be too strict, or need something that this day lacks. On one-minute "
                "bars\n  the last price is the last bar's close, inside that bar: a breakout needs the range of the "
                "bars before it."
            )
    if checked.passed and not checked.ships:
        from infra.archives import passed

        typer.echo(f"  Entered in {checked.path.parent / passed.REGISTER}: `strategy up` and the cloud may run it.")


def _own(folder: str, *, every: bool) -> list[str]:
    own = list(files.owners(Path(folder))) if folder else []
    if every:
        from shared.strategies import registry

        return list(registry.found(folder))
    if not own:
        what = "there is no strategy of your own to check"
        raise UserError(what, remedy=f"name one, or set {OWN_STRATEGIES}, or begin one with `strategy new NAME`")
    return own
