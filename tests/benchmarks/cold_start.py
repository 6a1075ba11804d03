"""Cold starts of every function beside those of its baseline: `python -m tests.benchmarks.cold_start`.

From the start of the process to its first answer, from the built archive, as the cloud starts it. All of it is started
in turn, round after round, so that what else the machine does falls on all alike; a first start of each, under no
share, does not count. Each ratio is the median over the rounds of a function's time and its baseline's of that round.
The answer is the function's own (405 to a GET where only pushes come, /health of the sign-in), which calls no service.

`--installed` gives each function an environment of its own lock, as in the cloud; without it the present environment
serves, in which TA-Lib also loads pandas. `--share topology`, or shares with commas, measures under a share of one CPU.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from shared.topology import TOPOLOGY
from tests.benchmarks.prices import month, price
from tests.benchmarks.report import machine, tell
from tests.benchmarks.share import limited
from tests.benchmarks.sizes import remark, shares, usd_a_month
from tests.benchmarks.start import Figures, Start, figures, start
from tests.benchmarks.subjects import Subject, python_of, subjects

MOST_RATIO = 1.25
MOST_MB = {"market_scan": 256}
MOST_MB_ELSE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subject at one share; None is the whole machine."""

    name: str
    share: float | None
    figures: Figures
    starts: tuple[Start, ...]
    usd_a_month: float | None = None
    note: str = ""


def measure(those: Sequence[Subject], *, shares: Sequence[float | None], rounds: int) -> list[Row]:
    """Start everything once for nothing, then at every share in turn, and give the figures in the same order."""
    for one in those:
        start(one)
    turns = [(share, one) for share in shares for one in those]
    kept: dict[tuple[float | None, str], list[Start]] = {}
    for _ in range(rounds):
        for share, one in turns:
            kept.setdefault((share, one.name), []).append(start(one, share))
    return [
        _row(one, share, kept[share, one.name], kept[share, one.baseline or one.name])
        for share in shares
        for one in those
    ]


def _row(one: Subject, share: float | None, starts: Sequence[Start], baseline: Sequence[Start]) -> Row:
    made = Row(name=one.name, share=share, figures=figures(starts, baseline), starts=tuple(starts))
    if one.function is None or share is None:
        return made
    return replace(made, usd_a_month=usd_a_month(one.function, share), note=remark(one.function, share))


def table(rows: Sequence[Row]) -> Table:
    """Lay the figures out; what is above its target is red."""
    made = Table(title="Cold starts, medians", title_justify="left")
    for title in ("Started", "CPU share", "First answer s", "fastest", "CPU s", "Ratio", "of CPU", "PSS MB", "RSS MB"):
        made.add_column(title, justify="left" if title == "Started" else "right", no_wrap=True)
    made.add_column("USD a month", justify="right")
    made.add_column("Note", no_wrap=True)
    ours = {function.name for function in TOPOLOGY.functions}
    for row in rows:
        seen, is_ours = row.figures, row.name in ours
        most_mb = MOST_MB.get(row.name, MOST_MB_ELSE)
        made.add_row(
            row.name,
            "all" if row.share is None else f"{row.share:g}",
            f"{seen.first_answer_s:.3f}",
            f"{seen.fastest_s:.3f}",
            f"{seen.cpu_s:.3f}",
            _red(f"{seen.ratio:.2f}", bad=seen.ratio > MOST_RATIO) if is_ours else "",
            f"{seen.cpu_ratio:.2f}" if is_ours else "",
            _red(f"{seen.pss_mb:.0f}", bad=seen.pss_mb > most_mb),
            f"{seen.largest_rss_mb:.0f}",
            "" if row.usd_a_month is None else f"{row.usd_a_month:.2f}",
            row.note,
        )
    return made


def _red(text: str, *, bad: bool) -> str:
    return f"[red]{text}[/red]" if bad else text


def _notes(those: Sequence[Subject], shares: Sequence[float | None], rounds: int) -> Iterator[str]:
    yield f"{rounds} rounds after a start that does not count; Python {python_of(those[-1])}; all compiled, disk warm."
    yield machine()
    yield "PSS is of the whole process tree, shared pages once; RSS is of its largest process. MB are 10^6 bytes."
    yield f"Targets: ratio {MOST_RATIO}, PSS {MOST_MB_ELSE} MB ({MOST_MB['market_scan']} MB for market_scan)."
    if any(share is not None for share in shares):
        with limited(1.0) as limiter:
            yield "Refused: Cloud Run does not take that CPU with so many requests at once, or so much memory."
            yield f"Share of one CPU: {limiter.way}, 100 ms periods; the cloud's extra CPU at the start is not counted."
        total = [one for function in TOPOLOGY.functions for one in month(function, TOPOLOGY)]
        yield (
            f"USD a month: at most, nothing free. As the topology stands all together {price(total):.2f}, "
            f"and {price(total, free=True):.2f} in an account that uses nothing else."
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cold_start", description="Cold starts.")
    names = [function.name for function in TOPOLOGY.functions]
    parser.add_argument("names", nargs="*", metavar="FUNCTION", help=f"one or more of {', '.join(names)}; else all")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count")
    parser.add_argument("--installed", action="store_true", help="each archive in an environment of its own lock")
    parser.add_argument("--share", help="`topology`, or shares of one CPU with commas between them")
    parser.add_argument("--json", type=Path, help="write every start to this file")
    given = parser.parse_args()
    if unknown := set(given.names) - set(names):
        parser.error(f"no such function: {', '.join(sorted(unknown))}")
    return given


def main() -> None:
    """Measure, print the table, and write the file."""
    given = _arguments()
    wanted = (None,) if given.share is None else shares(given.share)
    with tempfile.TemporaryDirectory() as folder:
        those = subjects(Path(folder), installed=given.installed, names=tuple(given.names))
        rows = measure(those, shares=wanted, rounds=given.rounds)
        notes = list(_notes(those, wanted, given.rounds))
    tell(table(rows), notes, rows, given.json)


if __name__ == "__main__":
    main()
