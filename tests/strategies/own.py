"""Strategies as an owner writes them, into a folder of a test."""

from datetime import UTC, datetime
from pathlib import Path

from infra.archives import passed
from shared.strategies import files

FORM = '''"""Yes to whatever costs enough."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from shared.domain.control.config import Span
from shared.domain.orders.positions import Position
from shared.domain.orders.signals import Vote
from shared.strategies.verdict import QUOTE, Reason, Verdict
from shared.strategies.view import View

NAME = "{name}"
CHEAP = Reason(code="CHEAP", words="It costs too little.", source=QUOTE)
REASONS = (CHEAP,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What it has to cost in USD."""

    price_min: Annotated[Decimal, Span("1", "10000")] = Decimal(50)
    bars: Annotated[int, Span(1, 60)] = 5
    bold: bool = False


def vote(view: View, own: Parameters) -> Verdict:
    """Vote for what costs enough."""
    if view.quote.last < own.price_min:
        return CHEAP.on(view.quote.last, f"{{own.price_min}} or more")
    return Vote(strategy=NAME, confidence=Decimal("0.80"), reasons=("it costs enough",))
'''


def passing(folder: Path) -> Path:
    """Enter every strategy of a folder as one that passed, whatever it is; gives the folder."""
    for path in files.owners(folder).values():
        row = passed.entered(path, path.read_bytes(), datetime(2013, 10, 7, tzinfo=UTC))
        (folder / passed.REGISTER).write_bytes(row)
    return folder


def write(folder: Path, name: str = "mine", *, vote: str = "", more: str = "", without: str = "") -> Path:
    """Write a strategy that votes for what costs 50 USD; `vote` is another body, `more` follows, `without` is left out.

    Gives the folder.
    """
    text = FORM.format(name=name).replace(without, "") if without else FORM.format(name=name)
    if vote:
        head, _, _ = text.partition('    """Vote for what costs enough."""')
        text = f"{head}    {vote}\n"
    (folder / f"{name}.py").write_text(f"{text}{more}", encoding="utf-8")
    return folder
