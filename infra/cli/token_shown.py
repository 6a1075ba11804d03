"""`strategy token`: until when somebody is signed in; the token is never shown."""

from pathlib import Path

from infra.cli.hand import reached, show
from infra.cli.laid_out import pairs
from infra.operations.token_view import SAID, token_view
from infra.simulated_day.hours import day_and_time


def token(profile: str, state: Path | None, *, json: bool) -> None:
    """Show until when somebody is signed in."""
    with reached(profile, state) as hand:
        view = token_view(hand)
    instants = (
        ("Since", view.issued_at), ("Renewed", view.renewed_at), ("Expires", view.dies_at), ("Ended", view.ended_at)
    )  # fmt: skip
    said = SAID[view.state]
    rows = [("Signed in", f"no: {said}; `strategy login` signs in" if view.signs_in else said)]
    rows += [(name, f"{day_and_time(at)} New York") for name, at in instants if at is not None]
    show(view, lambda: pairs(rows), json=json)
