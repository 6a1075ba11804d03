"""Alerts are ones that a new project takes, silence has its hours, and nothing sensitive is kept in a log."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.components.alarms import silence
from infra.components.watch import each_minute
from infra.one_machine.scheduler import instants
from shared.topology import TOPOLOGY
from tests.infra.cloud.capture import Graph, leaves
from tests.infra.cloud.filters import finds

STACKS = ("sandbox", "production", "keys")


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
            assert all(finds(one, back) for one in filters)
        assert not any(finds(one, line) for one in filters for line in kept)
