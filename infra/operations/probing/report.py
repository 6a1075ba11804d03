"""The probe's report for people, as Markdown: what contradicts us first, then what is known, then what nobody saw."""

from collections.abc import Iterator, Sequence

from infra.operations.probing import judge, judge_times
from infra.operations.probing.facts import Fact, Verdict
from infra.operations.probing.measure import Seen
from infra.simulated_day.hours import day_and_time

_ORDER = (Verdict.CONTRADICTS, Verdict.KNOWN, Verdict.NOT_SEEN)
_HEADS = {
    Verdict.CONTRADICTS: "Contradicts our assumption", Verdict.KNOWN: "Known", Verdict.NOT_SEEN: "Not seen",
}  # fmt: skip
_HIDDEN = "(hidden)"


def facts(seen: Seen) -> tuple[Fact, ...]:
    """Judge all that was seen."""
    return tuple(judged(seen) for judged in (*judge.JUDGES, *judge_times.JUDGES))


def report(seen: Seen, found: Sequence[Fact], *, secrets: Sequence[str], source: str, capture: str) -> str:
    """Write the report; `capture` is the name of the file beside it. No secret stands in it."""
    text = "\n".join(_lines(seen, found, source, capture)) + "\n"
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


def _lines(seen: Seen, found: Sequence[Fact], source: str, capture: str) -> Iterator[str]:
    ended = seen.ended_at or seen.began_at
    yield f"# What {source} does"
    yield ""
    when = f"from {day_and_time(seen.began_at)} to {day_and_time(ended)} New York"
    yield f"Probed {when}, with {', '.join(seen.symbols)}."
    yield "It read and previewed. Nothing was placed or cancelled: this client cannot do either."
    yield f"Your account numbers, keys, names and orders are neither here nor in `{capture}`, which tests can read."
    counts = [f"{sum(one.verdict is verdict for one in found)} {verdict}" for verdict in _ORDER]
    yield f"Of {len(found)} facts: {', '.join(counts)}."
    if seen.canned:
        yield "**The sandbox's answers are made up: production may answer otherwise.**"
    if seen.beside:
        yield "**A system used this key at the same time: E*TRADE counted its calls, too.**"
    if seen.lost_token:
        yield "**The access token ended during the probe: sign in and probe again for what was not seen.**"
    for verdict in _ORDER:
        yield from _facts(verdict, [one for one in found if one.verdict is verdict])
    yield from _round_trips(seen)
    yield from _stages(seen)
    if seen.problems:
        yield from ("", "## Calls that failed", "")
        yield from (f"- {name}: {problem}" for name, problem in sorted(seen.problems.items()))


def _facts(verdict: Verdict, found: Sequence[Fact]) -> Iterator[str]:
    if not found:
        return
    yield from ("", f"## {_HEADS[verdict]}", "")
    for one in found:
        yield f"- **{one.name}**: {one.seen}."
        yield f"  - We assume: {one.assumption} ({one.source})."
        if verdict is Verdict.CONTRADICTS:
            yield f"  - Then: {one.then}."


def _round_trips(seen: Seen) -> Iterator[str]:
    yield from ("", "## Round trips", "", "| endpoint | answers | p50 | p99 |", "|---|---|---|---|")
    for endpoint, one in judge_times.round_trips(seen).items():
        yield f"| {endpoint} | {one.count} | {one.p50 * 1000:,.0f} ms | {one.p99 * 1000:,.0f} ms |"


def _stages(seen: Seen) -> Iterator[str]:
    columns = "| module | calls a second wanted | for | calls | most within a second | first throttle answer | failed |"
    yield from ("", "## Calls at a steady rate", "", columns, "|---|---|---|---|---|---|---|")
    for one in seen.results:
        stage, lasts = one.stage, f"{one.stage.lasts.total_seconds():,.0f} s"
        if one.skipped:
            yield f"| {stage.module} | {stage.rate} | not asked: {one.skipped} | | | | |"
            continue
        throttled = "none" if one.throttled_at is None else f"call {one.throttled_at}, which ended the stage"
        yield f"| {stage.module} | {stage.rate} | {lasts} | {one.calls} | {one.reached} | {throttled} | {one.failed} |"
