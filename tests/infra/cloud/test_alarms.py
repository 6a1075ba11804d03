"""Every alarm rings in the case that it is for, and is quiet otherwise: alerts are evaluated as Google does it."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.gcp.journal import CloudJournal
from shared.ports import Severity
from tests.architecture.files import texts
from tests.infra.cloud import promql
from tests.infra.cloud.capture import Graph
from tests.infra.cloud.expected_watch import LINES
from tests.infra.cloud.filters import Entry, finds
from tests.infra.cloud.thresholds import FALSE, MINUTE, TRUE, Point, rings

JOURNALLED = re.compile(r'\.line\(\s*"([a-z_]+)"(?:,\s*Severity\.([A-Z]+))?')
TUESDAY = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
PAGE = "oauth-callback-123456789012.us-east4.run.app"
AN_HOUR = timedelta(hours=1)
SCAN, SETTLEMENT = "market-scan", "order-settlement"


def journalled() -> dict[str, str]:
    """Give every event that the functions write, with its severity."""
    found: dict[str, str] = {}
    for source in texts("shared", suffix=".py").values():
        for event, severity in JOURNALLED.findall(source):
            found[event] = severity or "INFO"
    return found


def test_the_events_of_the_code_are_found() -> None:
    """The pattern reads events and severities from the code, so that a new error needs its alarm."""
    source = 'journal.line("a_thing", Severity.CRITICAL, x=1)\njournal.line(\n    "other", y=2)'
    assert JOURNALLED.findall(source) == [("a_thing", "CRITICAL"), ("other", "")]


def entry(event: str, resource: str = "cloud_run_revision", **fields: str) -> Entry:
    """Give a line of the functions' journal the way that Cloud Logging keeps it."""
    output = io.StringIO()
    CloudJournal("market_scan", project="p", output=output).line(event, Severity.ERROR, **fields)
    written: dict[str, str] = json.loads(output.getvalue())
    place = {"resource.type": resource, "logName": "projects/p/logs/run.googleapis.com%2Fstdout"}
    return place | {f"jsonPayload.{name}": value for name, value in written.items() if name != "severity"}


def rung(graph: Graph, line: Entry) -> set[str]:
    """Name the alarms that a line rings."""
    return {
        policy.name
        for policy in graph.of("AlertPolicy")
        for condition in policy.inputs["conditions"]
        if policy.inputs.get("enabled", True) and "conditionMatchedLog" in condition
        if finds(condition["conditionMatchedLog"]["filter"], line)
    }


def test_a_line_rings_its_own_alarm(graphs: Mapping[str, Graph]) -> None:
    """Of all lines that the code writes each rings the alarm that it is listed for, as every error is, others none."""
    graph = graphs["production"]
    listed = {event: name for name, alarm in LINES.items() for event in alarm.events}
    written = journalled()
    found = {event: rung(graph, entry(event)) for event in written}
    assert found == {event: {listed[event]} if event in listed else set() for event in found}
    assert {event for event, severity in written.items() if severity in ("ERROR", "CRITICAL")} <= set(listed)
    assert set(listed) <= set(written)


def test_a_line_of_something_else_rings_nothing(graphs: Mapping[str, Graph]) -> None:
    """An event of another program of the project, or one that a line merely mentions, wakes nobody."""
    for event in (event for alarm in LINES.values() for event in alarm.events):
        assert not rung(graphs["production"], entry(event, resource="gce_instance"))
        assert not rung(graphs["production"], entry("signal", said=event, message=event))


@pytest.mark.parametrize(
    ("kept", "line"),
    [
        (True, {"resource.labels.service_name": "market-scan"}),
        (True, {"resource.labels.service_name": "somebody-elses", "logName": "p/logs/cloudaudit.googleapis.com%2Fa"}),
        (True, {"resource.type": "gce_instance", "logName": "p/logs/cloudaudit.googleapis.com%2Factivity"}),
        (False, {"resource.labels.service_name": "somebody-elses"}),
        (False, {"resource.type": "gce_instance", "resource.labels.service_name": "market-scan"}),
    ],
)
def test_the_trail_takes_what_is_ours(graphs: Mapping[str, Graph], kept: bool, line: Entry) -> None:
    """The functions' lines and Google's audit log go to the trail, and nothing else of the project."""
    (sink,) = graphs["production"].of("ProjectSink")
    assert finds(sink.inputs["filter"], {**entry("signal"), **line}) is kept


def _policy(graphs: Mapping[str, Graph], name: str) -> Mapping[str, Any]:
    return graphs["production"].one("AlertPolicy", name).inputs


def answers(service: str, of: str, at: datetime, count: float = 1, resource: str = "cloud_run_revision") -> Point:
    """Give requests that a service has answered."""
    return Point(at, count, {
        "resource.type": resource, "metric.type": "run.googleapis.com/request_count",
        "resource.labels.service_name": service, "metric.labels.response_code_class": of,
    })  # fmt: skip


def subscribed(metric: str, at: datetime, count: float) -> Point:
    """Give what Google counts at a subscription."""
    return Point(at, count, {
        "resource.type": "pubsub_subscription", "metric.type": f"pubsub.googleapis.com/subscription/{metric}",
        "resource.labels.subscription_id": "signals-to-order-placement",
    })  # fmt: skip


LATELY, LONG_AGO = TUESDAY - 2 * MINUTE, TUESDAY - 6 * MINUTE


@pytest.mark.parametrize(
    ("expected", "points"),
    [
        (True, [answers(SCAN, "5xx", LATELY, 6)]),
        (True, [answers(SCAN, "5xx", LATELY, 3), answers("notify", "5xx", LATELY, 3)]),
        (True, [answers(SCAN, "5xx", TUESDAY - minute * MINUTE, 2) for minute in range(3)]),
        (False, [answers(SCAN, "5xx", LATELY, 5)]),
        (False, [answers(SCAN, "5xx", LONG_AGO, 600)]),
        (False, [answers(SCAN, "4xx", LATELY, 600), answers(SCAN, "2xx", LATELY, 600)]),
        (False, [answers(SCAN, "5xx", LATELY, 600, resource="gae_app")]),
        (True, [subscribed("dead_letter_message_count", LATELY, 1)]),
        (False, [subscribed("dead_letter_message_count", LONG_AGO, 1)]),
        (False, [subscribed("dead_letter_message_count", LATELY, 0)]),
        (False, [subscribed("num_undelivered_messages", LATELY, 100)]),
        (False, []),
    ],
)
def test_failures_and_lost_messages_are_told(graphs: Mapping[str, Graph], expected: bool, points: list[Point]) -> None:
    """More than five answers of 500 in five minutes ring, and so does each message that Pub/Sub gave up, once."""
    assert rings(_policy(graphs, "delivery"), points, TUESDAY) is expected


def checks(places: int, since: timedelta, host: str = PAGE) -> list[Point]:
    """Give an hour of answers to a check from six places of the world, of which some fail since a while ago."""
    return [
        Point(at, FALSE if place < places and at > TUESDAY - since else TRUE, {
            "resource.type": "uptime_url", "metric.type": "monitoring.googleapis.com/uptime_check/check_passed",
            "resource.labels.host": host, "metric.labels.checker_location": f"place-{place}",
        })
        for place in range(6)
        for at in (TUESDAY - quarter * timedelta(minutes=15) - place * MINUTE for quarter in range(5))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "points"),
    [
        (True, checks(6, AN_HOUR)),
        (True, checks(2, AN_HOUR)),
        (False, checks(1, AN_HOUR)),
        (False, checks(6, timedelta(minutes=20))),
        (False, checks(0, AN_HOUR)),
        (False, checks(6, AN_HOUR, host="another.example.com")),
    ],
)
def test_a_page_that_is_down_is_told(graphs: Mapping[str, Graph], expected: bool, points: list[Point]) -> None:
    """The sign-in page must fail from two places for half an hour: one place's network is not the page."""
    assert rings(_policy(graphs, "oauth_callback-down"), points, TUESDAY) is expected


def day(*quiet: str, of: str = "2xx", at: datetime = TUESDAY, since: timedelta = AN_HOUR) -> list[Point]:
    """Give two hours of a request each minute to each watched service; some are `quiet` since a while."""
    minutes = [at - minute * MINUTE for minute in range(120)]
    return [
        answers(service, of, minute)
        for service in (SCAN, SETTLEMENT)
        for minute in minutes
        if service not in quiet or minute <= at - since
    ]


@pytest.mark.parametrize(
    ("expected", "points"),
    [
        (True, []),
        (True, day(SCAN)),
        (True, day(SETTLEMENT)),
        (True, day(SCAN, SETTLEMENT)),
        (True, day(of="5xx")),
        (True, day(of="4xx")),
        (True, [answers("notify", "2xx", one.at) for one in day()]),
        (True, [answers(SCAN, "2xx", one.at, 0) for one in day()]),
        (True, [answers(one.series["resource.labels.service_name"], "2xx", one.at, 1, "gae_app") for one in day()]),
        (True, day(SCAN, since=timedelta(minutes=35))),
        (False, day(SCAN, since=timedelta(minutes=34))),
        (False, day(SCAN, since=timedelta(minutes=20))),
        (False, day()),
    ],
)
def test_silence_is_told(graphs: Mapping[str, Graph], expected: bool, points: list[Point]) -> None:
    """Inside the session half an hour without a request that one of the services took rings; requests keep it quiet."""
    assert rings(_policy(graphs, "silence"), points, TUESDAY) is expected


def _week() -> Iterator[datetime]:
    """Give each ten minutes of one week in summer and one in winter."""
    for monday in (datetime(2026, 7, 6, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)):
        yield from (monday + timedelta(minutes=10 * step) for step in range(7 * 24 * 6))


def test_silence_is_told_in_the_session_alone(graphs: Mapping[str, Graph]) -> None:
    """Without any request it rings on weekdays from 15:05 to 20:00 UTC and never else, whatever the season."""
    policy = _policy(graphs, "silence")
    for at in _week():
        inside = at.weekday() < 5 and (15, 5) <= (at.hour, at.minute) < (20, 0)
        assert rings(policy, [], at) is inside, at


@pytest.mark.parametrize(
    "filter_", ['a = "b" OR', 'a = "b")', 'a > "b"', "a = b", '(a = "b"', 'a = ("b" "c")', 'NOT a:"b"']
)
def test_a_filter_that_is_not_understood_is_refused(filter_: str) -> None:
    """What the reader of filters does not know is an error instead of a guess."""
    with pytest.raises(ValueError, match="not understood"):
        finds(filter_, {"a": "b", "NOT": "b"})


@pytest.mark.parametrize(
    "query", ["rate(a[5m]) < 1", "vector(0) < 1 unless vector(1)", "(vector(0)", "vector(0) <", "sum(increase(a))"]
)
def test_a_query_that_is_not_understood_is_refused(query: str) -> None:
    """What the reader of queries does not know is an error instead of a guess."""
    with pytest.raises(ValueError, match="not understood"):
        promql.evaluate(query, [], TUESDAY)


def test_or_binds_closer_than_and_in_a_filter() -> None:
    """A filter is read as Google reads it: alternatives first, and a space is an AND."""
    written = 'a = "1" AND b = "2" OR c = "3"'
    assert not finds(written, {"c": "3"})
    assert finds(written, {"a": "1", "c": "3"})
    assert finds('a:"x" b=~"^y"', {"a": "wxz", "b": "yz"})
    assert not finds('a:"x" b=~"^y"', {"a": "wxz", "b": "zy"})
