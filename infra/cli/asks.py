"""`strategy cancel`, `resolve` and `reconcile`: what the owner asks of settlement, with its answer."""

import sys
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Json, Order, Profile, State

Wait = Annotated[float, typer.Option(min=1.0, max=600.0, help="How long to wait for the answer, seconds.")]
LONG_ENOUGH = 150.0


def cancel(
    order: Order, wait: Wait = LONG_ENOUGH, profile: Profile = "local", state: State = None, json: Json = False
) -> None:  # fmt: skip
    """Cancel an open buy order.

    Such as `strategy cancel ORDER`, with an id from `strategy orders`. Shares that were bought by then stay, with their
    stop: `strategy close SYMBOL` sells them. A stop that protects shares is not cancelled.
    """
    from infra.cli import answers

    with explained(acts=True):
        answers.cancel(order, profile, state, wait_s=wait, json=json)


def resolve(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    order: Order,
    number: Annotated[
        int | None, typer.Option("--is", metavar="BROKER_ORDER", help="It is E*TRADE's order with this number.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="It is none of E*TRADE's orders: those are your own.")] = False,
    wait: Wait = LONG_ENOUGH, profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Settle an order that may or may not have been placed.

    Such as `strategy resolve ORDER --is NUMBER`, with E*TRADE's number of it, or `strategy resolve ORDER --none`. The
    number is checked against E*TRADE's list of orders, and refused with the reason where it cannot be that order. With
    --none the order ends and its cash is free again; orders at E*TRADE that look like it are never touched.
    """
    from infra.cli import answers

    with explained(acts=True):
        answers.resolve(order, number, profile, state, none=none, wait_s=wait, json=json)


def reconcile(
    yes: Annotated[bool, typer.Option("--yes", help="Record what is missing without asking me.")] = False,
    wait: Wait = LONG_ENOUGH, profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Compare with the account, after you sold by hand.

    Such as `strategy reconcile`. It shows which shares the account lacks, and asks; a second comparison half a minute
    later records them as sold. Without this command the system does the same within minutes.
    """
    from infra.cli import answers

    with explained(acts=True):
        answers.reconcile(profile, state, yes=yes, wait_s=wait, json=json, terminal=sys.stdin.isatty())


def add_to(app: typer.Typer) -> None:
    """Give the commands to the command line."""
    for command in (cancel, resolve, reconcile):
        app.command()(command)
