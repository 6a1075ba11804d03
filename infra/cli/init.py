"""`strategy init`: what a new owner is asked, once."""

import typer

from infra.cli.exits import explained


def init() -> None:
    """Set up for E*TRADE: ask for key, symbols and capital.

    Such as `strategy init`. It explains each question, keeps the key encrypted on this machine, says what comes next,
    and trades nothing. Run it again at any time: what you leave empty stays.
    """
    from infra.cli import asked

    with explained(acts=True):
        asked.begin()


def add_to(app: typer.Typer) -> None:
    """Give the command to the command line."""
    app.command()(init)
