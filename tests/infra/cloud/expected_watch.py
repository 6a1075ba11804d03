"""Rows: who is told of what, what the dashboard shows, and the budget. What an alarm means is shown in test_alarms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.infra.cloud.facts import Cloud, Json, Must, Thing, dashed

MINUTE, FIVE_MINUTES, QUARTER_HOUR, HALF_HOUR, AN_HOUR = "60s", "300s", "900s", "1800s", "3600s"
TOLD = Must(
    be="a sentence for the person who is woken",
    holds=lambda found: isinstance(found, str) and found[:1].isupper() and found.endswith(".") and len(found) > 40,
)


@dataclass(frozen=True, slots=True)
class Lines:
    """An alarm on lines of the functions' journal, and how many seconds lie between two mails about it."""

    title: str
    severity: str
    events: tuple[str, ...]
    every: str = FIVE_MINUTES


LINES = {
    "dead-letters": Lines(
        "A message could not be taken, or you could not be told", "ERROR",
        (
            "dead_letter", "lease_unreadable", "outbox_row_refused", "outbox_row_unreadable", "unreadable_document",
            "books_unreadable", "receipt_unreadable", "notice_not_delivered",
            "close_too_early",
        ),
    ),
    "orders-in-doubt": Lines(
        "An order or a position needs to be looked at", "CRITICAL",
        (
            "order_unknown", "order_manual", "late_acceptance", "shares_missing", "foreign_order",
            "exit_ended_unfilled", "unprotected", "position_unprotected", "exit_unseen",
            "cancel_unconfirmed", "sell_refused", "answer_unread", "stays_held",
        ),
    ),
    "sign-in": Lines(
        "The token is not alive", "ERROR",
        (
            "sign_in_needed", "sign_in_failed", "sign_in_stumbled", "halt_not_asked", "token_gone",
            "token_not_destroyed", "scan_stopped", "key_not_read",
        ),
        every=AN_HOUR,
    ),
    "setting-up": Lines(
        "A secret or the account is missing or wrong", "CRITICAL",
        ("cannot_work", "cannot_start", "account_refused"), every=AN_HOUR,
    ),
    "trading-state": Lines("Trading was restricted", "CRITICAL", ("trading_state", "not_halted")),
    "broken": Lines(
        "Something that must never happen has happened", "CRITICAL",
        (
            "crash", "invariant_broken", "undeclared_access", "forged_signal", "order_forged", "scan_silent",
            "scan_blind",
        ),
    ),
}  # fmt: skip


def rows(cloud: Cloud) -> Iterator[Thing]:
    """Give what watches over the desk."""
    for number, address in enumerate(cloud.mails, 1):
        inputs = {"type": "email", "displayName": f"mail {number}", "labels": {"email_address": address}}
        yield Thing("monitoring/notificationChannel:NotificationChannel", f"mail-{number}", inputs)
    for name, lines in LINES.items():
        found = " OR ".join(f'"{event}"' for event in lines.events)
        match = {"filter": f'resource.type = "cloud_run_revision" AND jsonPayload.event = ({found})'}
        condition = {"displayName": lines.title, "conditionMatchedLog": match}
        yield _policy(cloud, name, lines.title, lines.severity, [condition], at_most_every=lines.every)
    yield _delivery(cloud)
    yield _silence(cloud)
    if cloud.owner:
        yield from _outside(cloud)
    yield Thing("monitoring/dashboard:Dashboard", "dashboard", {"dashboardJson": Json(_dashboard(cloud))})
    if cloud.given("billingAccount"):
        yield _budget(cloud)


def _policy(
    cloud: Cloud,
    name: str,
    title: str,
    severity: str,
    conditions: Sequence[Mapping[str, Any]],
    *,
    at_most_every: str = "",
) -> Thing:
    strategy = {
        "autoClose": HALF_HOUR, "notificationRateLimit": {"period": at_most_every} if at_most_every else None,
    }  # fmt: skip
    inputs = {
        "displayName": title, "severity": severity, "combiner": "OR", "conditions": list(conditions),
        "notificationChannels": _channels(cloud), "alertStrategy": strategy,
        "documentation": {"content": TOLD, "mimeType": "text/markdown"},
    }  # fmt: skip
    return Thing("monitoring/alertPolicy:AlertPolicy", name, inputs)


def _channels(cloud: Cloud) -> list[str]:
    return [cloud.id_of(f"mail-{number}") for number, _ in enumerate(cloud.mails, 1)]


def _more_than(limit: int, title: str, found: str, duration: str, aggregation: Mapping[str, Any]) -> dict[str, Any]:
    threshold = {
        "filter": found, "comparison": "COMPARISON_GT", "thresholdValue": limit, "duration": duration,
        "aggregations": [aggregation],
    }  # fmt: skip
    return {"displayName": title, "conditionThreshold": threshold}


def _delivery(cloud: Cloud) -> Thing:
    failed = (
        'resource.type = "cloud_run_revision" AND metric.type = "run.googleapis.com/request_count"'
        ' AND metric.labels.response_code_class = "5xx"'
    )
    given_up = (
        'resource.type = "pubsub_subscription"'
        ' AND metric.type = "pubsub.googleapis.com/subscription/dead_letter_message_count"'
    )
    all_of_them = {
        "alignmentPeriod": FIVE_MINUTES, "perSeriesAligner": "ALIGN_DELTA", "crossSeriesReducer": "REDUCE_SUM",
    }  # fmt: skip
    conditions = [
        _more_than(5, "functions fail", failed, "0s", all_of_them),
        _more_than(0, "messages were given up", given_up, "0s", all_of_them),
    ]
    return _policy(cloud, "delivery", "Messages do not get through", "ERROR", conditions)


def _silence(cloud: Cloud) -> Thing:
    called = {one.topic for one in cloud.topology.schedules if one.cron.startswith("* ")}
    watched = [one for one in cloud.topology.functions if any(part.topic in called for part in one.subscriptions)]
    requests = (
        "sum(increase(run_googleapis_com:request_count"
        f'{{monitored_resource="cloud_run_revision",service_name="{dashed(one)}",response_code_class="2xx"}}[30m]))'
        for one in watched
    )
    silent = " or ".join(f"(({one} or vector(0)) < 1)" for one in requests)
    at_work = "(day_of_week() >= 1 and day_of_week() <= 5 and hour() >= 15 and hour() < 20)"
    query = {
        "query": f"({silent}) and on() {at_work}", "duration": FIVE_MINUTES, "evaluationInterval": MINUTE,
        "disableMetricValidation": True,
    }  # fmt: skip
    title = "The market is not looked at"
    condition = {"displayName": title, "conditionPrometheusQueryLanguage": query}
    return _policy(cloud, "silence", title, "CRITICAL", [condition])


def _outside(cloud: Cloud) -> Iterator[Thing]:
    page, host = cloud.page, cloud.host(cloud.page)
    asked = {"type": "uptime_url", "labels": {"host": host, "project_id": cloud.project}}
    check = {
        "displayName": f"{dashed(page)} answers", "period": QUARTER_HOUR, "timeout": "30s", "monitoredResource": asked,
        "httpCheck": {"path": "/health", "port": 443, "useSsl": True, "validateSsl": True},
    }  # fmt: skip
    yield Thing("monitoring/uptimeCheckConfig:UptimeCheckConfig", f"{page.name}-from-outside", check)
    down = (
        'resource.type = "uptime_url" AND metric.type = "monitoring.googleapis.com/uptime_check/check_passed"'
        f' AND resource.labels.host = "{host}"'
    )
    places = {
        "alignmentPeriod": QUARTER_HOUR, "perSeriesAligner": "ALIGN_NEXT_OLDER",
        "crossSeriesReducer": "REDUCE_COUNT_FALSE", "groupByFields": ["resource.label.host"],
    }  # fmt: skip
    condition = _more_than(1, "the sign-in page does not answer", down, HALF_HOUR, places)
    yield _policy(cloud, f"{page.name}-down", "Nobody can sign in", "ERROR", [condition])


def _dashboard(cloud: Cloud) -> dict[str, Any]:
    run, pubsub = "cloud_run_revision", "pubsub_subscription"
    requests, waiting = "run.googleapis.com/request_count", "pubsub.googleapis.com/subscription/"
    services = " OR ".join(f'"{dashed(one)}"' for one in cloud.topology.functions)
    failed = ' metric.label.response_code_class="5xx"'
    lines = f'resource.type="{run}" resource.labels.service_name=({services}) severity>=WARNING'
    widgets = [
        _chart("Requests a minute", requests, run, "ALIGN_DELTA"),
        _chart("Failures a minute", requests, run, "ALIGN_DELTA", also=failed),
        _chart(
            "Slowest requests, ms", "run.googleapis.com/request_latencies", run, "ALIGN_PERCENTILE_99", reducer="MAX"
        ),
        _chart("Messages that wait", f"{waiting}num_undelivered_messages", pubsub, "ALIGN_MAX"),
        _chart("Oldest message, s", f"{waiting}oldest_unacked_message_age", pubsub, "ALIGN_MAX", reducer="MAX"),
        {"title": "Warnings and worse", "logsPanel": {"filter": lines}},
    ]
    return {"displayName": "Trading system", "gridLayout": {"columns": "2", "widgets": widgets}}


def _chart(
    title: str, metric: str, resource: str, aligner: str, *, reducer: str = "SUM", also: str = ""
) -> dict[str, Any]:
    by = "service_name" if resource == "cloud_run_revision" else "subscription_id"
    aggregation = {
        "alignmentPeriod": MINUTE, "perSeriesAligner": aligner, "crossSeriesReducer": f"REDUCE_{reducer}",
        "groupByFields": [f"resource.label.{by}"],
    }  # fmt: skip
    shown = {"filter": f'metric.type="{metric}" resource.type="{resource}"{also}', "aggregation": aggregation}
    return {
        "title": title,
        "xyChart": {"dataSets": [{"plotType": "LINE", "timeSeriesQuery": {"timeSeriesFilter": shown}}]},
    }


def _budget(cloud: Cloud) -> Thing:
    spent, foreseen = "CURRENT_SPEND", "FORECASTED_SPEND"
    shares = ((0.5, spent), (0.9, spent), (1.0, spent), (1.0, foreseen))
    inputs = {
        "billingAccount": cloud.given("billingAccount"), "displayName": f"{cloud.project}: trading system",
        "amount": {"specifiedAmount": {"units": cloud.given("budget", "50")}},
        "budgetFilter": {"projects": [f"projects/{cloud.number}"]},
        "thresholdRules": [{"thresholdPercent": share, "spendBasis": basis} for share, basis in shares],
        "allUpdatesRule": {"monitoringNotificationChannels": _channels(cloud)} if cloud.mails else None,
    }  # fmt: skip
    return Thing("billing/budget:Budget", "budget", inputs)
