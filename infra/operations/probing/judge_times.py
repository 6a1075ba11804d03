"""What was seen of quotes, times, limits and clocks, against what we assume; as `judge`."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

from infra.operations.probing.facts import Assumed, Fact, words
from infra.operations.probing.heard import Heard
from infra.operations.probing.measure import NO_SYMBOL, Seen
from infra.operations.tables import DELAYED
from infra.simulated_day.timing import Spread, spread
from shared.domain.broker import skew
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.exchange import Endpoint
from shared.etrade.limits import MARKET_PER_SECOND, Module
from shared.etrade.session import ANSWER_WITHIN_S
from shared.strategies import config as configurations

ADMITTED = {Module.MARKET: MARKET_PER_SECOND, Module.ACCOUNTS: 2, Module.ORDERS: 2}
"""Calls a second that we assume (etrade-api.md 6)."""
QUIET = timedelta(seconds=5)
_OPEN = (QuoteStatus.REALTIME, QuoteStatus.DELAYED)


def round_trips(seen: Seen) -> dict[Endpoint, Spread]:
    """Give how long answers of each endpoint took, in seconds."""
    taken: dict[Endpoint, list[float]] = {}
    for one in seen.heard:
        taken.setdefault(one.endpoint, []).append(one.seconds)
    return {endpoint: spread(taken[endpoint]) for endpoint in sorted(taken)}


def in_time(seen: Seen) -> Fact:
    """Whether answers come in time."""
    one = Assumed(
        name="Answers come in time", source="etrade/session.py",
        assumption=f"99 of 100 answers are there within {ANSWER_WITHIN_S:.0f} s, and none is lost",
        then="reads fail and are repeated; a place in doubt is UNKNOWN",
    )  # fmt: skip
    if not seen.heard:
        return one.unseen("there was no answer")
    slowest = max(found.p99 for found in round_trips(seen).values())
    said = f"slowest p99 {slowest:.3f} s, {seen.lost} of {len(seen.heard) + seen.lost} calls without an answer"
    return one.judged(slowest <= ANSWER_WITHIN_S and not seen.lost, said)


def quotes_read(seen: Seen) -> Fact:
    """Whether the quotes can be read."""
    one = Assumed(
        name="Quotes", source="2.1; parse_quotes.py", then="such a symbol is never bought; all of them: nothing trades",
        assumption="detailFlag=ALL gives each asked symbol a quote that can be used",
    )  # fmt: skip
    if not seen.quotes:
        problem = seen.problems.get("quotes", "none was asked for")
        return one.judged(False, problem) if problem.startswith(Unreadable.__name__) else one.unseen(problem)
    missing = [symbol for symbol in seen.symbols if symbol not in seen.quotes[0]]
    said = f"{len(seen.symbols) - len(missing)} of {len(seen.symbols)} symbols"
    return one.judged(not missing, f"{said}; not of {', '.join(missing)}" if missing else said)


def class_shares(seen: Seen) -> Fact:
    """Whether a class of shares is written with a dot."""
    one = Assumed(
        name="Symbols with a dot", source="2.1 [unsure]; domain/broker/tickets.py", then="such symbols are not watched",
        assumption="a class of shares is written with a dot, such as BRK.B",
    )  # fmt: skip
    dotted = [symbol for symbol in seen.symbols if "." in symbol]
    if not dotted or not seen.quotes:
        return one.unseen("no such symbol was asked for")
    return one.judged(all(symbol in seen.quotes[0] for symbol in dotted), ", ".join(dotted))


def unknown_symbol(seen: Seen) -> Fact:
    """How an unknown symbol is told."""
    one = Assumed(
        name="An unknown symbol", source="2.1 [likely]; parse_quotes.py",
        then="nothing: its quote is absent either way",
        assumption="status 200 with a message of code 1019 in the place of its quote",
    )  # fmt: skip
    answers = [
        answer for answer in seen.heard if answer.endpoint is Endpoint.QUOTES and NO_SYMBOL.encode() in answer.body
    ]
    codes = {code for answer in answers for code in _codes(answer)}
    if not answers:
        return one.unseen("no answer named it")
    said = ", ".join(sorted(code for code in codes if code.isdecimal() and len(code) <= 5)) or "no code"
    return one.judged(codes == {"1019"}, f"status {answers[0].status}, {said}")


def _codes(answer: Heard) -> Iterator[str]:
    try:
        body = reading.root(answer.body, "quoteresponse")
        rows = reading.children(reading.child(body, "messages"), "message")
        yield from (code for row in rows if (code := reading.text(row, "code")) is not None)
    except Unreadable:
        return


def entitlement(seen: Seen) -> Fact:
    """Whether quotes are in real time; a delay is told here, once, with its remedy."""
    one = Assumed(
        name="Market data entitlement", source="2.1, 7 item 14; domain/market/quality.py",
        then=f"nothing is bought: {DELAYED}",
        assumption="the key has real-time quotes: quoteStatus is REALTIME in the session",
    )  # fmt: skip
    statuses = {quote.status for quotes in seen.quotes for quote in quotes.values()}
    if not statuses:
        return one.unseen("no quote came that can be used")
    if not statuses & set(_OPEN):
        return one.unseen(f"the market was closed ({words(frozenset(statuses))}): probe again in the session")
    return one.judged(QuoteStatus.DELAYED not in statuses, words(frozenset(statuses)))


def status_words(seen: Seen) -> Fact:
    """Whether the words of quoteStatus are known."""
    one = Assumed(
        name="Words of quoteStatus", source="2.1; domain/market/quotes.py",
        then="a quote of another word is not traded on",
        assumption="REALTIME, DELAYED, CLOSING, EH_REALTIME, EH_BEFORE_OPEN or EH_CLOSED",
    )  # fmt: skip
    statuses = frozenset(quote.status for quotes in seen.quotes for quote in quotes.values())
    return one.judged(QuoteStatus.UNKNOWN not in statuses, words(statuses)) if statuses else one.unseen("no quote")


def moves_in_quiet(seen: Seen) -> Fact:
    """Whether dateTimeUTC moves while nothing trades."""
    one = Assumed(
        name="dateTimeUTC when nothing trades", source="2.1 [not told]; domain/market/quality.py",
        assumption="it moves although neither trade nor quote of the symbol changes",
        then=f"a quiet symbol is STALE after {_oldest()} s and is not entered; its age needs another measure",
    )  # fmt: skip
    moved = stood = 0
    for symbol in seen.symbols:
        run = [quotes[symbol] for quotes in seen.quotes if symbol in quotes and quotes[symbol].status in _OPEN]
        for _, group in groupby(run, key=_market):
            same = list(group)
            if same[-1].received_at - same[0].received_at >= QUIET:
                moved, stood = moved + (same[-1].at > same[0].at), stood + (same[-1].at <= same[0].at)
    if not moved + stood:
        return one.unseen(f"no symbol was quiet for {QUIET.seconds} s in an open market: add a thinly traded one")
    return one.judged(not stood, f"of {moved + stood} quiet times it moved in {moved} and stood in {stood}")


def _market(quote: Quote) -> tuple[Decimal | int, ...]:
    return (quote.bid, quote.bid_size, quote.ask, quote.ask_size, quote.last, quote.day_volume)


def quote_age(seen: Seen) -> Fact:
    """How old quotes are when they arrive."""
    one = Assumed(
        name="Age of a quote when it arrives", source="domain/market/quality.py; default.toml",
        assumption=f"a real-time quote is at most {_oldest()} s old by its dateTimeUTC",
        then="it is STALE and not traded on",
    )  # fmt: skip
    ages = [
        (quote.received_at - quote.at).total_seconds()
        for quotes in seen.quotes for quote in quotes.values() if quote.status is QuoteStatus.REALTIME
    ]  # fmt: skip
    if not ages:
        return one.unseen("no quote in real time came")
    found = spread(ages)
    return one.judged(found.p99 <= _oldest(), f"p50 {found.p50:.1f} s, p99 {found.p99:.1f} s of {found.count}")


def _oldest() -> int:
    return configurations.load("default").entry.quote_age_max_s


def clock(seen: Seen) -> Fact:
    """Whether this machine's clock agrees with the Date of E*TRADE's answers."""
    one = Assumed(
        name="Clocks", source="domain/broker/skew.py",
        assumption="answers have a Date, and this machine's clock is less than 2 s off from it",
        then="from 5 s on nothing is entered, from 60 s on trading halts: let the machine set its clock (NTP)",
    )  # fmt: skip
    dated = sum(bool(answer.date) for answer in seen.heard)
    if seen.ahead is None:
        return one.unseen(f"{dated} of {len(seen.heard)} answers had a Date")
    right = skew.judged(seen.ahead) is skew.Off.RIGHT
    return one.judged(right, "not proven to be off" if right else skew.said(seen.ahead))


def limit_of(module: Module) -> Callable[[Seen], Fact]:
    """Give the judge of one module's limit."""

    def judge(seen: Seen) -> Fact:
        admitted = ADMITTED[module]
        one = Assumed(
            name=f"Limit of {module}", source="6 [likely]; domain/broker/turns.py, etrade/limits.py",
            assumption=f"{admitted} calls in any second are admitted",
            then="our turns are too close to each other: calls are throttled, and the turns have to be wider",
        )  # fmt: skip
        asked = [result for result in seen.results if result.stage.module is module and not result.skipped]
        first = next((result for result in asked if result.throttled_at is not None), None)
        if first is not None:
            said = f"the first throttle answer was call {first.throttled_at} at {first.stage.rate} a second"
            said = f"{said}, {first.reached} within a second"
            if seen.beside and first.reached <= admitted:
                return one.unseen(f"{said}, but a system called beside it")
            return one.judged(first.reached > admitted, said)
        most = max((result.reached for result in asked), default=0)
        said = f"no throttle answer; {most} calls left within a second at most"
        return one.known(said) if most >= admitted else one.unseen(said)

    return judge


def throttle_shape(seen: Seen) -> Fact:
    """What a throttle answer looks like."""
    one = Assumed(
        name="Form of a throttle answer", source="6; etrade/faults.py", then="it is recognised by 429 or its text too",
        assumption="status 400 with `exceeded the rate limit`, without a code and without Retry-After",
    )  # fmt: skip
    found = [answer for answer in seen.heard if answer.fault is not None and answer.fault.throttled]
    if not found:
        return one.unseen("there was none")
    first = found[0]
    code = first.fault.code if first.fault is not None else None
    said = f"status {first.status}, {'no code' if code is None else 'a code'}"
    as_assumed = first.status == 400 and code is None and not first.retry_after
    return one.judged(as_assumed, f"{said}, {'with' if first.retry_after else 'without'} Retry-After")


def failures(seen: Seen) -> Fact:
    """Whether reads fail on E*TRADE's side."""
    one = Assumed(
        name="Failures of E*TRADE's", source="7 item 7; etrade/faults.py",
        assumption="a read that is asked at these rates fails seldom: fewer than 1 of 100",
        then="more reads are repeated; settlement acts on fewer lists",
    )  # fmt: skip
    if not seen.heard:
        return one.unseen("there was no answer")
    bad = [answer for answer in seen.heard if answer.fault is not None and not answer.fault.throttled]
    reads = [answer for answer in bad if answer.endpoint is not Endpoint.PREVIEW]
    kinds = sorted({f"{answer.endpoint} {answer.status}" for answer in reads})
    said = f"{len(reads)} of {len(seen.heard)}{': ' + ', '.join(kinds) if kinds else ''}"
    return one.judged(100 * len(reads) < len(seen.heard), said)


def second_token(_: Seen) -> Fact:
    """What a second sign-in does to the first token."""
    return Assumed(
        name="A second sign-in", source="1.4 [unsure]; usecases/sign_in/obtain.py",
        assumption="the newest token signs; whether the one before still does is not relied on",
        then="nothing",
    ).unseen("the probe signs in once")  # fmt: skip


JUDGES: tuple[Callable[[Seen], Fact], ...] = (
    quotes_read, class_shares, unknown_symbol, entitlement, status_words, moves_in_quiet, quote_age, in_time,
    *(limit_of(module) for module in ADMITTED), throttle_shape, failures, clock, second_token,
)  # fmt: skip
