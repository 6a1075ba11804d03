"""How the owner's commands lay their answers out: names with values, and tables that fit however narrow they are."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

_SENTENCES = frozenset({"Why", "What happened"})
"""Columns of a table whose cells are sentences, wrapped between words; such a column is the last one of its table."""
_READABLE = 40
"""Sentences that need more than one line have so many characters in each, or stand under their rows."""


def pairs(rows: Iterable[tuple[str, object]]) -> None:
    """Print names and values."""
    Console().print(pairs_of(rows), highlight=False, markup=False)


def pairs_of(rows: Iterable[tuple[str, object]]) -> Table:
    """Lay names and values out."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(str(value)))
    return table


def table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Print rows: as a table, sentences under their rows where a column of them would be too narrow to be read.

    Where the terminal is too narrow for that, too, each row is a block.
    """
    console, kept = Console(), [list(row) for row in rows]
    if _readable(columns, kept, console):
        console.print(grid(columns, kept, console), highlight=False, markup=False)
        return
    if columns[-1] in _SENTENCES and fits(columns[:-1], [row[:-1] for row in kept], console):
        _over_sentences(columns, kept, console)
        return
    for row in kept:
        pairs((name, value) for name, value in zip(columns, row, strict=True) if value not in (None, ""))
        sys.stdout.write("\n")


def _over_sentences(columns: Sequence[str], rows: Sequence[Sequence[object]], console: Console) -> None:
    """Print each row in a line, and under it what it says."""
    with console.capture() as shown:
        console.print(grid(columns[:-1], [row[:-1] for row in rows], console), highlight=False, markup=False)
    head, *lines = shown.get().splitlines()
    sys.stdout.write(f"{head.rstrip()}\n")
    for line, row in zip(lines, rows, strict=True):
        under = wrap(_text(row[-1]), console.width - 2)
        sys.stdout.write("\n  ".join((line.rstrip(), *under)) + "\n")


def _readable(columns: Sequence[str], rows: Sequence[Sequence[object]], console: Console) -> bool:
    """Tell whether a table breaks nothing within a word, and has room for its sentences."""
    if not fits(columns, rows, console):
        return False
    if columns[-1] not in _SENTENCES:
        return True
    widths, _ = _widths(columns, [[_text(cell) for cell in row] for row in rows])
    said = widths.pop(columns[-1])
    return console.width - sum(widths.values()) - len(widths) >= min(said, _READABLE)


def fits(columns: Iterable[str], rows: Iterable[Iterable[object]], console: Console) -> bool:
    """Tell whether a table of these rows breaks nothing within a word."""
    widths, longest = _widths(columns, [[_text(cell) for cell in row] for row in rows])
    return _needed(widths, longest, gap=1) <= console.width


def _needed(widths: Mapping[str, int], longest: int, *, gap: int) -> int:
    return sum(longest if name in _SENTENCES else width for name, width in widths.items()) + gap * (len(widths) - 1)


def _widths(columns: Iterable[str], lines: Sequence[Sequence[str]]) -> tuple[dict[str, int], int]:
    """Give each column's width, and the length of the longest word of the reasons."""
    named = list(zip(columns, *lines, strict=True))
    words = [word for name, *cells in named if name in _SENTENCES for cell in cells for word in cell.split()]
    return {name: max(map(len, (name, *cells))) for name, *cells in named}, max(map(len, words), default=len("Why"))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def grid(columns: Iterable[str], rows: Iterable[Iterable[object]], console: Console) -> Table:
    """Lay rows out; the reasons are wrapped between words first, every column where that is not enough.

    Nothing is cut.
    """
    lines = [[_text(cell) for cell in row] for row in rows]
    widths, longest = _widths(columns, lines)
    whole = _needed(widths, longest, gap=1) <= console.width
    roomy = sum(widths.values()) + 2 * len(widths) <= console.width
    shown = Table(box=None, pad_edge=False, padding=(0, 2 if roomy else 1, 0, 0))
    for name in widths:
        shown.add_column(name, no_wrap=whole and name not in _SENTENCES, overflow="fold")
    for line in lines:
        shown.add_row(*line)
    return shown
