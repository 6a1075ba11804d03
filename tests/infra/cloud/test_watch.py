"""The owner is told of what matters, by alerts that a new project takes, and nothing sensitive is kept in a log."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.components import names
from infra.components.alarms import ALARMS, silence
from infra.components.watch import each_minute
from infra.local.scheduler import instants
from shared.topology import TOPOLOGY
from tests.architecture.files import texts
from tests.infra.cloud.capture import Graph, leaves

JOURNALLED = re.compile(r'\.line\(\s*"([a-z_]+)"(?:,\s*Severity\.([A-Z]+))?')
STACKS = ("sandbox", "production", "keys")


def _journalled() -> dict[str, str]:
    """Give every event that the functions write, with its severity."""
    found: dict[str, str] = {}
    for source in texts("shared", suffix=".py").values():
        for event, severity in JOURNALLED.findall(source):
            found[event] = severity or "INFO"
    return found


def made_metrics(graph: Graph) -> Iterator[str]:
    """Name every alert on a metric that is not one of Google's own."""
    for policy in graph.of("AlertPolicy"):
        for path, value in leaves(policy.inputs["conditions"]):
            if path.endswith(".filter") and "condition_matched_log" not in path and "MatchedLog" not in path:
                metrics = re.findall(r'metric\.type\s*=\s*"([^"]+)"', value)
                if not metrics or not all(one.startswith(("run.", "pubsub.", "monitoring.")) for one in metrics):
                    yield f"{policy.name}: {value}"
            if path.endswith(".query") and "run_googleapis_com:" not in value:
                yield f"{policy.name}: {value}"
    if graph.of("Metric"):
        yield "a metric of ours"


def test_every_alarm_rings_for_a_line_that_is_written() -> None:
    """Each event of an alarm is one that the code journals, in one alarm only, and every error is in some."""
    journalled = _journalled()
    rung = [event for alarm in ALARMS for event in alarm.events]
    assert len(set(rung)) == len(rung)
    assert set(rung) <= set(journalled)
    assert {event for event, severity in journalled.items() if severity in {"ERROR", "CRITICAL"}} <= set(rung)


def test_a_seeded_silent_event_is_found() -> None:
    """The pattern reads events and severities from the code, so that a new critical event needs its alarm."""
    source = 'journal.line("a_thing", Severity.CRITICAL, x=1)\njournal.line(\n    "other", y=2)'
    assert JOURNALLED.findall(source) == [("a_thing", "CRITICAL"), ("other", "")]


@pytest.mark.parametrize("stack", STACKS)
def test_a_new_project_takes_every_alert(graphs: Mapping[str, Graph], stack: str) -> None:
    """Alerts match lines or use Google's own metrics; one on lines or a query has a single condition."""
    graph = graphs[stack]
    assert list(made_metrics(graph)) == []
    for policy in graph.of("AlertPolicy"):
        conditions, strategy = policy.inputs["conditions"], policy.inputs["alertStrategy"]
        matched = ["conditionMatchedLog" in one for one in conditions]
        alone = any(matched) or any("conditionPrometheusQueryLanguage" in one for one in conditions)
        assert not alone or len(conditions) == 1
        assert ("notificationRateLimit" in strategy) == all(matched)
        assert policy.inputs["notificationChannels"]
        assert policy.inputs["documentation"]["content"]


def test_a_seeded_made_metric_is_found(graphs: Mapping[str, Graph]) -> None:
    """An alert on a metric that we would have to make first is named, and so is the metric."""
    graph = graphs["sandbox"]
    model = graph.one("AlertPolicy", "delivery")
    metric = 'metric.type = "logging.googleapis.com/user/dead_letters"'
    conditions: list[dict[str, Any]] = [{"conditionThreshold": {"filter": metric}}]
    seeded = replace(model, urn="seeded", inputs={**model.inputs, "conditions": conditions})
    assert list(made_metrics(Graph(resources={"seeded": seeded}, outputs={})))
    ours = replace(model, urn="seeded", typ="gcp:logging/metric:Metric")
    assert list(made_metrics(Graph(resources={"seeded": ours}, outputs={})))


def test_what_must_be_told_is_told(graphs: Mapping[str, Graph]) -> None:
    """Dead letters, unknown orders, a dead token, the daily loss, failures and silence each have their alert."""
    filters = " ".join(
        str(value) for policy in graphs["sandbox"].of("AlertPolicy") for _, value in leaves(policy.inputs["conditions"])
    )
    for told in ("dead_letter", "order_unknown", "sign_in_needed", "trading_state", "5xx", "dead_letter_message_count"):
        assert told in filters
    for function in each_minute(TOPOLOGY):
        assert f'service_name="{names.dashed(function)}"' in filters


def test_a_refused_request_is_no_sign_of_life() -> None:
    """Silence is a lack of requests that were taken: a stranger's refused one does not hide it."""
    counted = re.findall(r"request_count\{([^}]*)\}", silence(["x", "y"]))
    assert len(counted) == 2
    assert all('response_code_class="2xx"' in one for one in counted)


def test_silence_is_looked_for_while_the_clock_ticks() -> None:
    """In summer and in winter, the half hour before each looked-at minute has ticks of every watched schedule."""
    assert set(each_minute(TOPOLOGY)) == {"market_scan", "order_settlement"}
    looked_at = re.search(r"hour\(\) >= (\d+) and hour\(\) < (\d+)", silence(["x"]))
    assert looked_at is not None
    first, last = int(looked_at[1]), int(looked_at[2])
    for day in (date(2026, 1, 5), date(2026, 3, 9), date(2026, 7, 6), date(2026, 11, 2)):
        opens = datetime(day.year, day.month, day.day, first, tzinfo=UTC) - timedelta(minutes=30)
        ends = datetime(day.year, day.month, day.day, last, tzinfo=UTC)
        for schedule in TOPOLOGY.schedules:
            if schedule.cron.startswith("* "):
                ticks = instants(schedule.cron, opens)
                minutes = int((ends - opens).total_seconds() // 60)
                assert [next(ticks) for _ in range(minutes)] == [opens + timedelta(minutes=n) for n in range(minutes)]


def test_only_the_open_page_is_tried_from_outside(graphs: Mapping[str, Graph]) -> None:
    """One check asks the sign-in's health over https, since internal services cannot be reached."""
    (check,) = graphs["sandbox"].of("UptimeCheckConfig")
    host = check.inputs["monitoredResource"]["labels"]["host"]
    assert host == "oauth-callback-123456789012.us-east4.run.app"
    asked = check.inputs["httpCheck"]
    assert (asked["path"], asked["useSsl"], asked["validateSsl"]) == ("/health", True, True)


def _left_out(line: Mapping[str, str], written: str) -> bool:
    """Say whether a filter of the kind that the trail writes, clauses joined by AND, finds a line."""
    found = []
    for clause in written.split(" AND "):
        ((name, operator, value),) = re.findall(r"^([A-Za-z._]+)(=~|=|:)(.*)$", clause, re.DOTALL)
        values = re.findall(r'"([^"]*)"', value)
        found.append(any(_MATCHES[operator](one, line[name]) for one in values))
    return all(found)


_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda wanted, found: wanted == found,
    ":": lambda wanted, found: wanted in found,
    "=~": lambda wanted, found: re.search(wanted, found) is not None,
}


PAGE = "https://oauth-callback-1.us-east4.run.app"
REQUEST = {
    "resource.type": "cloud_run_revision",
    "resource.labels.service_name": "oauth-callback",
    "logName": "projects/example-project/logs/run.googleapis.com%2Frequests",
    "httpRequest.requestUrl": f"{PAGE}/callback?oauth_token=a&oauth_verifier=b",
}


OTHER_PATHS = ("/start", "/start?x=/callback", "/callbacks", "/start/callback", "/callback/more", "/?/callback")


def test_verifiers_are_not_kept_and_all_else_is(graphs: Mapping[str, Graph]) -> None:
    """Of Google's lines about requests exactly those to the callback address are kept by no sink."""
    kept: list[Mapping[str, str]] = [
        *({**REQUEST, "httpRequest.requestUrl": f"{PAGE}{path}"} for path in OTHER_PATHS),
        {**REQUEST, "resource.labels.service_name": "market-scan"},
        {**REQUEST, "logName": "projects/example-project/logs/run.googleapis.com%2Fstdout"},
    ]
    for graph in graphs.values():
        filters = [one.inputs["filter"] for one in graph.of("ProjectExclusion")]
        filters += [one["filter"] for sink in graph.of("ProjectSink") for one in sink.inputs["exclusions"]]
        assert len(filters) == 1 + len(graph.of("ProjectSink"))
        for tail in ("", "/", "?oauth_verifier=b", "/?oauth_verifier=b"):
            back = {**REQUEST, "httpRequest.requestUrl": f"{PAGE}/callback{tail}"}
            assert all(_left_out(back, one) for one in filters)
        assert not any(_left_out(line, one) for one in filters for line in kept)


def test_the_trail_is_kept_for_years(graphs: Mapping[str, Graph]) -> None:
    """Production keeps the functions' lines and Google's audit log as long as configured, every use of a secret too."""
    graph = graphs["production"]
    (bucket,), (sink,) = graph.of("ProjectBucketConfig"), graph.of("ProjectSink")
    assert bucket.inputs["retentionDays"] == 2557
    assert bucket.protect
    assert all(f'"{names.dashed(function.name)}"' in sink.inputs["filter"] for function in TOPOLOGY.functions)
    assert 'logName:"cloudaudit.googleapis.com"' in sink.inputs["filter"]
    for one in graphs.values():
        (audited,) = one.of("IAMAuditConfig")
        kinds = {log["logType"] for log in audited.inputs["auditLogConfigs"]}
        assert (audited.inputs["service"], kinds) == (
            "secretmanager.googleapis.com",
            {"ADMIN_READ", "DATA_READ", "DATA_WRITE"},
        )


def test_the_budget_warns_and_the_dashboard_shows(graphs: Mapping[str, Graph]) -> None:
    """Production has a budget of the project alone; every stack has a dashboard that Google's format can hold."""
    (budget,) = graphs["production"].of("Budget")
    assert budget.inputs["budgetFilter"]["projects"] == ["projects/123456789012"]
    assert [rule["thresholdPercent"] for rule in budget.inputs["thresholdRules"]] == [0.5, 0.9, 1.0, 1.0]
    assert graphs["sandbox"].of("Budget") == []
    for graph in graphs.values():
        (board,) = graph.of("Dashboard")
        widgets = json.loads(board.inputs["dashboardJson"])["gridLayout"]["widgets"]
        assert len(widgets) == 6
        assert all(f'"{names.dashed(one.name)}"' in widgets[-1]["logsPanel"]["filter"] for one in TOPOLOGY.functions)
