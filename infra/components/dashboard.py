"""The dashboard: what was asked of each function, how it went, what waits, and the lines that matter."""

import json
from collections.abc import Mapping
from typing import Any

from infra.components import names
from shared.topology import Topology

_REQUESTS = 'metric.type="run.googleapis.com/request_count" resource.type="cloud_run_revision"'
_TIMES = 'metric.type="run.googleapis.com/request_latencies" resource.type="cloud_run_revision"'
_WAITING = (
    'metric.type="pubsub.googleapis.com/subscription/num_undelivered_messages" resource.type="pubsub_subscription"'
)
_OLDEST = (
    'metric.type="pubsub.googleapis.com/subscription/oldest_unacked_message_age" resource.type="pubsub_subscription"'
)
_BY_SERVICE, _BY_SUBSCRIPTION = "resource.label.service_name", "resource.label.subscription_id"


def dashboard(topology: Topology) -> str:
    """Write the dashboard as Google's JSON."""
    services = " OR ".join(f'"{names.dashed(function.name)}"' for function in topology.functions)
    lines = f'resource.type="cloud_run_revision" resource.labels.service_name=({services}) severity>=WARNING'
    widgets = [
        _chart("Requests a minute", _REQUESTS, "ALIGN_DELTA", _BY_SERVICE),
        _chart("Failures a minute", f'{_REQUESTS} metric.label.response_code_class="5xx"', "ALIGN_DELTA", _BY_SERVICE),
        _chart("Slowest requests, ms", _TIMES, "ALIGN_PERCENTILE_99", _BY_SERVICE, "REDUCE_MAX"),
        _chart("Messages that wait", _WAITING, "ALIGN_MAX", _BY_SUBSCRIPTION),
        _chart("Oldest message, s", _OLDEST, "ALIGN_MAX", _BY_SUBSCRIPTION, "REDUCE_MAX"),
        {"title": "Warnings and worse", "logsPanel": {"filter": lines}},
    ]
    shown = {"displayName": "Trading system", "gridLayout": {"columns": "2", "widgets": widgets}}
    return json.dumps(shown, sort_keys=True)


def _chart(title: str, metric: str, aligner: str, by: str, reducer: str = "REDUCE_SUM") -> Mapping[str, Any]:
    aggregation = {
        "alignmentPeriod": "60s", "perSeriesAligner": aligner, "crossSeriesReducer": reducer, "groupByFields": [by],
    }  # fmt: skip
    query = {"timeSeriesFilter": {"filter": metric, "aggregation": aggregation}}
    return {"title": title, "xyChart": {"dataSets": [{"plotType": "LINE", "timeSeriesQuery": query}]}}
