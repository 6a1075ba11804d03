"""`strategy cancel`, `resolve` and `reconcile`: what the owner asks of settlement, with its answer."""

import sys
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Json, Profile, State

Order = Annotated[str, typer.Argument(help="An order's id, its beginning, or the broker's number.", show_default=False)]
Wait = Annotated[float, typer.Option(min=1.0, max=600.0, help="How long to wait for the answer, seconds.")]
LONG_ENOUGH = 150.0


def cancel(
    order: Order, wait: Wait = LONG_ENOUGH, profile: Profile = "local", state: State = None, json: Json = False
) -> None:  # fmt: skip
    """Cancel an open entry order.

    Such as `strategy cancel IJIXF`; a protective stop is refused. Shares that were bought by then stay, with their
    stop: `strategy close SYMBOL` sells them.
    """
    from infra.cli import answers

    with explained(acts=True):
        answers.cancel(order, profile, state, wait_s=wait, json=json)


def resolve(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    order: Order,
    number: Annotated[
        int | None, typer.Option("--is", metavar="BROKER_ORDER", help="It is this one, by E*TRADE's number.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="It is none of them: they are yours.")] = False,
    wait: Wait = LONG_ENOUGH, profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Say what became of an order whose state is unknown.

    Such as `strategy resolve IJIXF --is 502`, or `--none`. The number is checked against E*TRADE's order list, and
    refused with the reason where it cannot be that order. With `--none` the order ends and its cash is free again;
    orders at E*TRADE that look like it are never touched.
    """
    from infra.cli import answers

    with explained(acts=True):
        answers.resolve(order, number, profile, state, none=none, wait_s=wait, json=json)


def reconcile(
    yes: Annotated[bool, typer.Option("--yes", help="Book what is missing without asking me.")] = False,
    wait: Wait = LONG_ENOUGH, profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Compare the books with the account, and book what you sold by hand.

    Such as `strategy reconcile --yes`. It shows what is missing and asks; the booking is made by a second comparison
    half a minute after the first. Without this command the system does the same within minutes.
    """
    from infra.cli import answers

    with explained(acts=True):
        answers.reconcile(profile, state, yes=yes, wait_s=wait, json=json, terminal=sys.stdin.isatty())


def add_to(app: typer.Typer) -> None:
    """Give the commands to the command line."""
    for command in (cancel, resolve, reconcile):
        app.command()(command)
