"""The report as one HTML file that needs nothing from anywhere, on a desk or on a phone, dark or light.

Results lead, the counts of the machine come last; a day's page without the chart library has 1.5 MB at the most.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from infra.results.charts import charts, drawn
from infra.results.ends import why_skipped
from infra.results.facts import Facts
from infra.results.figures import Figures, Group, defined
from infra.results.headline import UNKNOWN, headline
from infra.results.reasons import of_line
from infra.results.words import KINDS, clock, dollars, moment, percent, price, span, tone, why_made, words
from shared.codec import dumps
from shared.domain.orders.explain import step, why_left

MOST_SKIPPED = 200
"""Skipped signals that are listed one by one; beyond that only their reasons are counted."""
MOST_RECEIPTS = 150
"""Receipts of decisions that bought, the last ones."""
MOST_TRADES = 500
"""Trades that are listed one by one, the last ones; the JSON has all."""

_TEMPLATES = Path(__file__).parent / "templates"


def render(facts: Facts, found: Figures, strategies: str = "") -> str:
    """Write the page of a run and its figures; `strategies` is the folder of the owner's own, "" without any."""
    pictures = charts(facts)
    bought = [decision for decision in facts.decisions if decision.shares]
    page = _environment(facts, strategies).get_template("report.html")
    return page.render(
        facts=facts,
        found=found,
        headline=headline(facts, found),
        groups=_groups(found),
        trades=facts.trades[-MOST_TRADES:],
        skipped=facts.skipped[:MOST_SKIPPED],
        bought=bought[-MOST_RECEIPTS:],
        bought_count=len(bought),
        drawn=drawn(facts),
        charts=[(name, title) for name, title, _ in pictures],
        chart_data=Markup(_script_json({name: figure for name, _, figure in pictures})),  # noqa: S704 - escaped
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - the installed package's own script
        definitions=defined(found),
    )


def _groups(found: Figures) -> list[tuple[str, Sequence[Group]]]:
    """Give each way of grouping with its groups, in plain words."""
    return [
        ("Symbol", found.by_symbol),
        ("Strategy", found.by_strategy),
        ("Exit reason", found.by_reason),
        ("Hour of entry", found.by_hour),
    ]


def _script_json(data: object) -> str:
    """Write JSON that can stand inside a script element."""
    return dumps(data).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


class _Compiled(FileSystemBytecodeCache):
    """The template as Python compiled it, kept where Python keeps its modules, if that can be written."""

    def __init__(self) -> None:
        folder = _TEMPLATES / "__pycache__"
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
        super().__init__(str(folder))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it; where that fails it is compiled again the next time."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _environment(facts: Facts, strategies: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=None if sys.dont_write_bytecode else _Compiled(),
    )
    made.filters |= {
        "dollars": dollars,
        "percent": percent,
        "price": price,
        "clock": clock,
        "moment": partial(_moment, facts),
        "tone": tone,
        "words": words,
        "why_left": why_left,
        "why_skipped": why_skipped,
        "span": span,
        "kind": KINDS.get,
        "why_made": why_made,
        "step": lambda event: step(event.after, event.cause, event.detail.get("venue", "")),
        "reasons": partial(of_line, folder=strategies),
    }
    made.globals |= {"UNKNOWN": UNKNOWN}
    return made


def _moment(facts: Facts, at: datetime | None) -> str:
    return "" if at is None else moment(at, facts.begins, facts.ends)
