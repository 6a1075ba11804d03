"""A recording of the day as its owner has it: begun and ended, written as a recorded day, decided again.

What can go wrong: the owner takes a day that stopped in the middle for a whole one; a quote that no market file may
hold makes the whole file unreadable; a day is written over another one. What this promises: what is written says from
when to when it is, and what was left out of it; the market file is read back before it is there; what is in the way
stays. The market file is the recorded-day format that `--market` reads; the looks lie beside it, and are what a replay
needs besides: failed calls, seconds without a look, unsound quotes, configuration, daily bars with their splits.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.brokersim.recorded import BAR_COLUMNS, DAILY_FILE, ROW_COLUMNS, RecordedMarket
from infra.brokersim.tape import PRICE_UNITS, MarketFileError
from infra.one_machine.looks import FIRST, SUFFIX, WANTED, days_of, lines_of
from infra.operations import systems
from infra.running.folder import Folder
from infra.simulated_day.files import write_atomically
from infra.simulated_day.problems import UserError
from infra.simulated_day.replayed import Replayed, replay
from shared.codec import dumps
from shared.errors import Malformed
from shared.frozen import frozen
from shared.usecases.scanning.record import FIELDS, UNSEEN

_COLUMNS = ("bid", "bid_size", "ask", "ask_size", "last", "day_volume")
_PLACES = tuple(FIELDS.index(name) for name in _COLUMNS)
_PRICES = frozenset({"bid", "ask", "last"})


@frozen
class Recordings:
    """The recordings of a system: where they lie, whether one is wanted, and of which days there are any."""

    folder: Path
    wanted: bool
    days: tuple[date, ...]


@frozen
class Written:
    """A recorded day: its files, its span, how many rows it has, and how many quotes no market file may hold."""

    day: date
    market: Path
    symbols: int
    rows: int
    left_out: int
    first: datetime
    last: datetime
    looks: int


def folder_of(profile: str, state: Path | None) -> Path:
    """Give where a system of this machine keeps its recordings; raises UserError for one in the cloud."""
    if profile == "cloud":
        raise UserError(
            "the cloud's store keeps minutes and no seconds, so nothing of it can be recorded",
            remedy="record at home, on paper: `strategy up --broker production`, then `strategy record start`",
        )
    folder = Folder(path=state if state is not None else systems.only())
    if folder.card() is None:
        raise systems.not_a_system(folder.path)
    return folder.looks


def recordings(folder: Path) -> Recordings:
    """Say how it stands."""
    return Recordings(folder=folder, wanted=(folder / WANTED).exists(), days=tuple(days_of(folder)))


def want(folder: Path, *, wanted: bool) -> Recordings:
    """Let a recording begin, or end, with the next minute; the lines that there are stay."""
    try:
        if wanted:
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / WANTED).touch(mode=0o600)
        else:
            (folder / WANTED).unlink(missing_ok=True)
    except OSError as problem:
        raise UserError(f"{folder} cannot be written: {problem.strerror}", remedy="make room, and ask again") from None
    return recordings(folder)


def again(folder: Path, day: date, *, strategies: str) -> Replayed:
    """Decide a recorded day again; `folder` is a system's or one that `write` filled. Raises UserError.

    `strategies` is the folder of the owner's own ones, "" for none.
    """
    try:
        return replay(_lines(folder, day), strategies)
    except Malformed as problem:
        raise _unreadable(folder, day, problem) from None


def write(folder: Path, day: date, out: Path) -> Written:
    """Write a day's recording as a recorded day into `out`; raises UserError where something is in the way."""
    market, looks = out / f"{day}.csv.gz", out / f"{day}{SUFFIX}"
    if there := [path for path in (market, looks) if path.exists()]:
        raise UserError(f"{there[0]} is there already, and stays", remedy="name another folder with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out, prefix=".recording-") as made:
            found, rows, lines = _Found(), Path(made) / market.name, Path(made) / looks.name
            with gzip.open(lines, "wb", 6) as kept, gzip.open(rows, "wt", 6, encoding="utf-8", newline="") as text:
                table = csv.writer(text, lineterminator="\n")
                kept.write(FIRST)
                table.writerow(ROW_COLUMNS)
                for line in _lines(folder, day):
                    kept.write(dumps(line) + b"\n")
                    table.writerows(found.rows_of(line))
            if not found.rows:
                raise UserError(f"the recording of {day} has no quote", remedy="record a session that is open")
            read = RecordedMarket(rows)
            write_atomically(out / DAILY_FILE, _with_bars_of(out / DAILY_FILE, found.bars()))
            lines.rename(looks)
            rows.rename(market)
    except (TypeError, ValueError, LookupError, Malformed, MarketFileError) as problem:
        raise _unreadable(folder, day, problem) from None
    except OSError as problem:
        what = f"{out} cannot be written: {problem.strerror}"
        raise UserError(what, remedy="make room, or name another folder with --out; the recording stays") from None
    return Written(
        day=day, market=market, symbols=len(read.symbols), rows=found.rows, left_out=found.left_out,
        first=datetime.fromisoformat(found.first), last=datetime.fromisoformat(found.last), looks=found.looks,
    )  # fmt: skip


class _Found:
    """What the lines of a recording say of the market; an instant before another one is left out."""

    def __init__(self) -> None:
        self.rows = self.left_out = self.looks = 0
        self.first = self.last = ""
        self._fields: dict[str, list[Any]] = {}
        self._shown: dict[str, tuple[str, ...]] = {}
        self._series: dict[str, dict[str, Any]] = {}

    def rows_of(self, line: list[Any]) -> Iterator[tuple[str, ...]]:
        """Take one line, and give the rows of a market file that it makes."""
        kind, *rest = line
        if kind == "looks":
            self._fields = {}
        elif kind == "series":
            self._series[rest[1]["symbol"]] = rest[1]
        elif kind == "look":
            _, _, at, rows = rest
            self.looks += 1
            self.first, late = self.first or at, at < self.last
            self.last = max(at, self.last)
            for symbol, _, _, received_at, fields in rows:
                if received_at is not None and fields != UNSEEN:
                    yield from self._row(symbol, at, fields, late=late)

    def _row(self, symbol: str, at: str, fields: list[Any] | None, *, late: bool) -> Iterator[tuple[str, ...]]:
        if fields is not None:
            self._fields[symbol] = fields
        known = self._fields[symbol]
        shown = tuple(str(known[place]) for place in _PLACES)
        if late or not _is_sound(shown):
            self.left_out += fields is not None
        elif self._shown.get(symbol) != shown:
            self._shown[symbol] = shown
            self.rows += 1
            yield (at, symbol, *shown)

    def bars(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Give the daily bars that the scan knew last, by day and symbol."""
        names = BAR_COLUMNS[2:]
        return {
            (bar["day"], symbol): tuple(str(bar[name]) for name in names)
            for symbol, series in self._series.items() for bar in series["bars"]
        }  # fmt: skip


def _is_sound(shown: tuple[str, ...]) -> bool:
    """Tell whether a market file may hold a quote: prices above zero, to the hundredth of a cent, and not crossed."""
    try:
        prices = {name: Decimal(text) for name, text in zip(_COLUMNS, shown, strict=True) if name in _PRICES}
        whole = all(price > 0 and price * PRICE_UNITS == int(price * PRICE_UNITS) for price in prices.values())
    except (InvalidOperation, ValueError, OverflowError):
        return False
    return whole and prices["bid"] <= prices["ask"] and all(int(text) >= 0 for text in (shown[1], shown[3], shown[5]))


def _with_bars_of(path: Path, ours: dict[tuple[str, str], tuple[str, ...]]) -> bytes:
    """Join daily bars with those of a file that is there; raises UserError where they disagree."""
    theirs: dict[tuple[str, str], tuple[str, ...]] = {}
    if path.exists():
        _, *rows = csv.reader(StringIO(path.read_text(encoding="utf-8")))
        theirs = {(day, symbol): tuple(values) for day, symbol, *values in rows}
    for (day, symbol), values in ours.items():
        there = theirs.get((day, symbol), values)
        if [Decimal(text) for text in there] != [Decimal(text) for text in values]:
            what = f"{path} has another daily bar of {symbol} on {day} than the scan knew, and stays"
            raise UserError(what, remedy="name another folder with --out")
    joined = {**ours, **theirs}
    return _csv([BAR_COLUMNS, *((*key, *values) for key, values in sorted(joined.items()))])


def _csv(rows: Iterable[tuple[str, ...]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _lines(folder: Path, day: date) -> Iterator[list[Any]]:
    lines = lines_of(folder, day)
    try:
        first = next(lines, None)
    except OSError as problem:
        raise UserError(f"{folder} cannot be read: {problem.strerror}", remedy="name another folder") from None
    except Malformed as problem:
        raise _unreadable(folder, day, problem) from None
    if first is None:
        known = ", ".join(map(str, days_of(folder))) or "none"
        raise UserError(f"there is no recording of {day} in {folder}", remedy=f"there are: {known}")
    return chain([first], lines)


def _unreadable(folder: Path, day: date, problem: Exception) -> UserError:
    return UserError(f"the recording of {day} in {folder} cannot be read: {problem}", remedy="nothing was written")
