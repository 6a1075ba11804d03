"""The rows of a file of bars as text, CSV or Parquet alike, each with its place, so that one check serves both.

What can go wrong: a number of 64 bits is no price that was printed, a day is an instant, a missing value is a nothing
that passes for a zero; a file of a gigabyte is taken into memory at once. What this promises: nothing is judged here.
A row has one text for each column, as it would stand in a CSV: a number in its shortest form, a day as YYYY-MM-DD, an
instant in UTC, nothing as nothing. What cannot be written so names its row. Rows come piece by piece.

pyarrow is loaded for a Parquet file alone (`infra.tools.extras` installs it when it is first needed).
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from infra.simulated_day.problems import UserError
from shared.frozen import frozen

MAGIC = b"PAR1"
MOST_LINES = 5_000_000
_PIECE = 50_000


class Spoilt(ValueError):
    """The file ends to make sense at a row; the message begins with its place."""


@frozen
class Rows:
    """A file's columns, and its rows from the first to the last, each with its place; may raise Spoilt on the way."""

    names: list[str]
    rows: Iterator[tuple[str, Sequence[str]]]


def is_parquet(path: Path) -> bool:
    """Tell whether a file is Parquet, by its first bytes; one that cannot be read is none."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


@contextmanager
def rows_of(path: Path) -> Iterator[Rows]:
    """Open a file of bars; raises UserError for one that cannot be read."""
    remedy = "give a CSV file in UTF-8, or a Parquet file"
    try:
        if is_parquet(path):
            yield _parquet(path)
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield _csv(csv.reader(file, strict=True))
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror or problem}", remedy=remedy) from None
    except UnicodeDecodeError:
        raise UserError(f"{path} cannot be read: it is no text in UTF-8", remedy=remedy) from None


def _csv(lines: Iterator[list[str]]) -> Rows:
    try:
        first = next(lines, [])
    except csv.Error:
        first = []
    return Rows(names=[name.strip().lower() for name in first], rows=_lines(lines))


def _lines(lines: Iterator[list[str]]) -> Iterator[tuple[str, Sequence[str]]]:
    number = 1
    while True:
        number += 1
        try:
            row = next(lines, None)
        except csv.Error as wrong:
            raise Spoilt(f"line {number}: {wrong}") from None
        if row is None:
            return
        if number > MOST_LINES:
            raise Spoilt(f"line {number}: a file may have {MOST_LINES} lines")
        if row:
            yield f"line {number}", [one.strip() for one in row]


def _parquet(path: Path) -> Rows:
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        names = [str(name) for name in file.schema_arrow.names]
    except (arrow.ArrowException, OSError) as problem:
        raise UserError(f"{path} is no Parquet file: {_first(problem)}", remedy="write it again") from None
    return Rows(names=[name.strip().lower() for name in names], rows=_pieces(file))


def _pieces(file: Any) -> Iterator[tuple[str, Sequence[str]]]:
    import pyarrow as arrow

    number = 0
    pieces = file.iter_batches(batch_size=_PIECE)
    while True:
        try:
            piece = next(pieces, None)
        except (arrow.ArrowException, OSError) as problem:
            raise Spoilt(f"row {number + 1}: {_first(problem)}") from None
        if piece is None:
            return
        columns = [
            _texts(name.strip().lower(), column, number)
            for name, column in zip(piece.schema.names, piece.columns, strict=True)
        ]
        for row in zip(*columns, strict=True):
            number += 1
            if number > MOST_LINES:
                raise Spoilt(f"row {number}: a file may have {MOST_LINES} rows")
            yield f"row {number}", row


def _texts(name: str, column: Any, before: int) -> list[str]:
    """Write a column's values as a CSV has them; `before` is how many rows came before its first one."""
    import pyarrow as arrow
    from pyarrow import compute

    try:
        if arrow.types.is_timestamp(column.type):
            instants = compute.cast(column, arrow.timestamp("us", tz=column.type.tz)).to_pylist()
            return ["" if at is None else _instant(at, day=name == "date") for at in instants]
        texts = compute.cast(column, arrow.string()).to_pylist()
    except arrow.ArrowException as problem:
        where = f"rows {before + 1} to {before + len(column)}"
        raise Spoilt(f"{where}: {name} cannot be read as it is stored ({column.type}): {_first(problem)}") from None
    return ["" if text is None else text.strip() for text in texts]


def _instant(at: datetime, *, day: bool) -> str:
    """Write an instant in UTC, one without a zone as it is; where a day is wanted a midnight without a zone is one."""
    if day and at.tzinfo is None and at.time() == time(0):
        return at.date().isoformat()
    return (at if at.tzinfo is None else at.astimezone(UTC)).isoformat()


def _first(problem: Exception) -> str:
    return str(problem).partition("\n")[0][:200]
