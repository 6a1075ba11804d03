"""What `strategy probe` does: sign in, probe the key, show what contradicts us."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.cli.exits import say
from infra.cli.hand import show
from infra.cli.with_key import refusals, signed_in
from infra.operations.probing import run as probing
from infra.operations.probing.facts import Verdict
from infra.operations.profiles import Hand


def probe(
    hand: Hand, symbols: Sequence[str], *, minutes: float, out: Path, anew: bool, browser: bool, json: bool
) -> None:  # fmt: skip
    """Probe the key, write report and capture, and show what contradicts us."""
    probing.require_alone(hand, minutes)
    with refusals():
        signed_in(hand, anew=anew, browser=browser)
        wanted = [symbol.strip().upper() for symbol in symbols] or list(probing.SYMBOLS)
        done = probing.probe(hand, minutes=minutes, symbols=wanted, out=out, tell=say)
    show(done, lambda: sys.stdout.writelines(f"{line}\n" for line in _told(done)), json=json)


def _told(done: probing.Probed) -> Iterator[str]:
    for verdict in Verdict:
        names = [one.name for one in done.facts if one.verdict is verdict]
        yield f"{str(verdict).capitalize()}: {len(names)}{': ' if names else ''}{', '.join(names)}."
    yield f"Report:    {done.report}"
    yield f"Recording: {done.capture}"
