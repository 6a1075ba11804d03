"""`strategy status --watch`: a system's money and state, drawn in place on a terminal, a line a round in a pipe."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from infra.cli import hand, redrawn, status_words
from infra.cli import money_words as money
from infra.cli.exits import told_to_end
from infra.cli.laid_out import pairs_of
from infra.operations.look import Overview
from infra.operations.profiles import require_profile
from infra.simulated_day.hours import clock

EVERY_S = 2.0
CLOUD_EVERY_S = 15.0
"""In the cloud each look is some hundred reads, which Google bills."""


def watch(profile: str, state: Path | None, *, json: bool) -> None:
    """Look again and again until Ctrl-C; raises UserError where there is nothing to look at."""
    require_profile(profile)
    pause = CLOUD_EVERY_S if profile == "cloud" else EVERY_S
    with told_to_end() as told:
        redrawn.watch(
            lambda: look(profile, state), told.wait, Console(highlight=False, markup=False), every_s=pause, json=json,
            drawn=lambda found, _: drawn(found, named=state is not None or profile != "local"), plain=plain,
        )  # fmt: skip


def look(profile: str, state: Path | None) -> list[Overview]:
    """Look once at the one that is named, or at all."""
    if profile == "cloud" or state is not None:
        return [hand.glance(profile, state)]
    return hand.seen_here(profile)[1]


def drawn(found: Sequence[Overview], *, named: bool = True) -> RenderableType:
    """Lay all of it out; of several systems what has to be seen first, because a terminal ends below.

    Where one runs and was not `named`, its commands need no name either, and stand unbroken in their lines.
    """
    if not named and len(found) == 1 and found[0].running:
        found = [replace(found[0], on="")]
    parts: list[RenderableType] = [Text("Ctrl-C ends this; what runs goes on.")]
    for one in found:
        more = () if len(found) > 1 else status_words.rest(one)
        parts += [pairs_of((("System", one.name), *_first(one), *more)), Text("")]
    return Group(*parts)


def _first(one: Overview) -> Iterator[tuple[str, object]]:
    """Give the head of a system's status, with its commands before what is held."""
    told = list(status_words.head(one))
    names = [name for name, _ in told]
    held = names.index("Held") if "Held" in names else len(names)
    yield from told[:held]
    yield from status_words.commands(one)
    yield from told[held:]


def plain(found: Sequence[Overview]) -> Iterator[str]:
    """Give a line for each system."""
    for one in found:
        state = "no trading state" if one.control is None else str(one.control.state)
        parts = [f"{clock(one.at)} {one.name}", state if one.running else "NOT RUNNING", money.short(one.wealth)]
        parts += [money.held(row) for row in one.owned]
        parts.append(f"{one.live_orders} open orders")
        yield "; ".join(parts)
