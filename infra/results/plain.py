"""A report as plain JSON: what the page says, for programs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from infra.results.facts import Beside, Facts, Trade
from infra.results.figures import Figures, defined
from shared.codec import encode


def plain(facts: Facts, found: Figures) -> dict[str, Any]:
    """Give a run and its figures as JSON data: money and percents as decimal text, instants in UTC.

    Prices, receipts and the seconds that each reason lasted are left out.
    """
    return {
        "title": facts.title,
        "said": list(facts.said),
        "span": {"begins": encode(facts.begins), "ends": encode(facts.ends), "sessions": found.sessions},
        "resolution": facts.resolution,
        "source": facts.source,
        "configuration": facts.configuration,
        "watched": facts.watched,
        "figures": encode(found),
        "equity": [[encode(one.at), str(one.equity), str(one.invested)] for one in facts.equity],
        "equity_made": facts.equity_made,
        "trades": [
            {**encode(one), "net": str(one.net), "open_profit": encode(one.open_profit)} for one in facts.trades
        ],
        "skipped": encode(facts.skipped),
        "beside": encode(facts.beside),
        "violations": None if facts.violations is None else list(facts.violations),
        "troubles": list(facts.troubles),
        "machine": {one.name: one.text for one in facts.machine},
        "definitions": dict(defined(found)),
    }


def _with_profits(one: Trade) -> dict[str, Any]:
    """Give a trade with what is worked out of it: what it brought after fees, and what it has open."""
    return {**encode(one), "net": str(one.net), "open_profit": encode(one.open_profit)}


def beside(name: str, report: Mapping[str, Any], *, note: str) -> Beside:
    """Read another run's report as what stands beside this one; raises KeyError for what is no report."""
    found = report["figures"]
    fall = found["drawdown"]
    return Beside(
        name=name, note=note, profit=_decimal(found["profit"]), return_pct=_decimal(found["return_pct"]),
        trades=found["trades"], drawdown_pct=None if fall is None else _decimal(fall["pct"]),
    )  # fmt: skip


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
