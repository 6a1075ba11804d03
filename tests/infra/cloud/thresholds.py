"""Alerts as Google rings them: conditions over points of time series, evaluated each minute, and over a query."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.infra.cloud import promql
from tests.infra.cloud.filters import finds

MINUTE = timedelta(minutes=1)
FALSE, TRUE = 0.0, 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """What Google measured: how many more since the last point, or a check's TRUE or FALSE, of one series."""

    at: datetime
    value: float
    series: Mapping[str, str]


def rings(policy: Mapping[str, Any], points: Sequence[Point], at: datetime) -> bool:
    """Say whether a policy rings at an instant: one of its conditions has held for as long as it asks."""
    assert policy["combiner"] == "OR"
    return policy.get("enabled", True) and any(_held(one, points, at) for one in policy["conditions"])


def _held(condition: Mapping[str, Any], points: Sequence[Point], at: datetime) -> bool:
    (kind,) = set(condition) - {"displayName"}
    asked = condition[kind]
    since = at - _seconds(asked["duration"])
    instants = [at - minute * MINUTE for minute in range((at - since) // MINUTE + 1)]
    match kind:
        case "conditionThreshold":
            return all(_exceeds(asked, points, instant) for instant in instants)
        case "conditionPrometheusQueryLanguage":
            requests = [(one.at, one.value, _as_labels(one.series)) for one in points]
            return all(promql.evaluate(asked["query"], requests, instant) is not None for instant in instants)
        case _:
            raise ValueError(kind)


def _exceeds(asked: Mapping[str, Any], points: Sequence[Point], at: datetime) -> bool:
    compare = {"COMPARISON_GT": float.__gt__, "COMPARISON_LT": float.__lt__}[asked["comparison"]]
    limit = float(asked["thresholdValue"])
    found = [one for one in points if finds(asked["filter"], one.series)]
    (aggregation,) = asked["aggregations"]
    return any(compare(value, limit) for value in _aggregated(aggregation, found, at))


def _aggregated(asked: Mapping[str, Any], points: Sequence[Point], at: datetime) -> Iterator[float]:
    """Give one value for each group: points of the last period become one a series, series become one a group."""
    since = at - _seconds(asked["alignmentPeriod"])
    series: dict[tuple[tuple[str, str], ...], list[Point]] = defaultdict(list)
    for one in points:
        if since < one.at <= at:
            series[tuple(sorted(one.series.items()))].append(one)
    groups: dict[tuple[str | None, ...], list[float]] = defaultdict(list)
    by = [name.replace(".label.", ".labels.") for name in asked.get("groupByFields", ())]
    for labels, own in series.items():
        values = [one.value for one in sorted(own, key=lambda one: one.at)]
        aligned = {"ALIGN_DELTA": sum(values), "ALIGN_NEXT_OLDER": values[-1]}[asked["perSeriesAligner"]]
        groups[tuple(dict(labels).get(name) for name in by)].append(aligned)
    for group in groups.values():
        counted = {"REDUCE_SUM": sum(group), "REDUCE_COUNT_FALSE": group.count(FALSE)}
        yield float(counted[asked["crossSeriesReducer"]])


def _seconds(written: str) -> timedelta:
    return timedelta(seconds=int(written.removesuffix("s")))


def _as_labels(series: Mapping[str, str]) -> dict[str, str]:
    """Give a series' labels by the names that a query has for them."""
    metric = series["metric.type"].replace("/", ":", 1).replace(".", "_").replace("/", "_")
    plain = {name.rpartition(".")[2]: value for name, value in series.items() if ".labels." in name}
    return {"__name__": metric, "monitored_resource": series["resource.type"], **plain}
