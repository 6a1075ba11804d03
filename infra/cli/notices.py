"""`strategy notices`: what the owner was told, and what reached nobody."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.cli import hand
from infra.cli.exits import say
from infra.day.hours import day_and_time
from infra.owner import told


def notices(profile: str, state: Path | None, *, last: int, json: bool) -> None:
    """List the last notices, the newest at the end."""
    unread: list[str] = []
    with hand.reached(profile, state) as reached:
        lines = told.notices(reached.desk.store, unread=unread)[-last:]
    for path in unread:
        say(f"Not listed, because it cannot be read: {path}.")
    hand.show(lines, lambda: _table(lines), json=json)


def _table(lines: list[told.Line]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("At (New York)", no_wrap=True)
    for name in ("Told", "Title", "Text"):
        table.add_column(name)
    for line in lines:
        table.add_row(day_and_time(line.at), _became(line), line.title, line.text)
    Console().print(table, highlight=False, markup=False)


def _became(line: told.Line) -> str:
    if line.addresses:
        return f"told to {line.addresses} address" + "es" * (line.addresses != 1)
    return f"{line.fate} ({line.tries} tries)" if line.tries else str(line.fate)
