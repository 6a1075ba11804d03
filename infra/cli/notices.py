"""`strategy notices`: what the owner was told, and what reached nobody."""

from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from infra.cli import hand
from infra.cli.exits import say
from infra.cli.looked import looked_at
from infra.cli.whose import quoted
from infra.operations import told
from infra.simulated_day.hours import day_and_time
from shared.domain.telling.wording import ETRADE


def notices(profile: str, state: Path | None, *, last: int, json: bool) -> None:
    """List the last notices, the newest at the end."""
    unread: list[str] = []
    with looked_at(profile, state) as reached:
        lines = told.notices(reached.desk.store, unread=unread, broker=quoted(ETRADE, reached.broker))[-last:]
    for path in unread:
        say(f"Not listed, because it cannot be read: {path}.")
    hand.show(lines, lambda: _blocks(lines), json=json)


def _blocks(lines: list[told.Line]) -> None:
    """Print a block for each notice, however narrow the terminal is."""
    console = Console()
    for line in lines:
        console.print(f"{day_and_time(line.at)} New York  {_became(line)}", highlight=False, markup=False)
        for words in (line.title, line.text):
            console.print(Padding(Text(words), (0, 0, 0, 2)), highlight=False)
        console.print()


def _became(line: told.Line) -> str:
    if line.addresses:
        return f"told to {line.addresses} address" + "es" * (line.addresses != 1)
    return f"{line.fate} ({line.tries} tries)" if line.tries else str(line.fate)
