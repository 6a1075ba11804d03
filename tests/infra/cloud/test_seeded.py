"""A control is worth what it catches: each of these mistakes is found, by the table or by the test of its promise."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from shared.errors import ConfigError
from shared.topology import TOPOLOGY
from tests.infra.cloud import test_alarms, test_functions, test_watch
from tests.infra.cloud.capture import Graph, Registered
from tests.infra.cloud.expected import differences

Check = Callable[[Mapping[str, Graph]], object]
GONE = object()
SCAN, EMPTY = "Function market_scan", "Subscription dead-letters-kept"
LIMIT, QUERY = "conditions.0.conditionThreshold", "conditions.0.conditionPrometheusQueryLanguage.query"
LINES = "conditions.0.conditionMatchedLog.filter"
CONFIGURED, SERVED, PUSHED = (
    "serviceConfig.environmentVariables",
    "serviceConfig",
    "Subscription signals-to-order-placement",
)


def _but(old: str, new: str) -> Callable[[str], str]:
    """Give the edit of a text that has the old part."""

    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return edit


def seeded(graph: Graph, what: str, path: str, value: Any) -> Graph:
    """Change an input or an `option ` of one resource, or of every resource of a type; GONE takes it away."""
    typ, _, name = what.partition(" ")
    chosen = [one for one in graph.of(typ) if name in ("", one.name)]
    assert chosen
    resources = dict(graph.resources)
    for one in chosen:
        if path:
            resources[one.urn] = _changed(one, path, value)
        else:
            del resources[one.urn]
    return replace(graph, resources=resources)


def _changed(one: Registered, path: str, value: Any) -> Registered:
    kind = "options" if path.startswith("option ") else "inputs"
    whole: Any = deepcopy(dict(getattr(one, kind)))
    place, (*parts, last) = whole, path.removeprefix("option ").split(".")
    for name in parts:
        place = place[int(name)] if name.isdigit() else place.setdefault(name, {})
    if value is GONE:
        del place[last]
    else:
        place[last] = value(place[last]) if callable(value) else value
    return replace(one, **{kind: whole})


@pytest.mark.parametrize(
    ("what", "path", "value"),
    [
        # What rests on nothing: a service that is off, an agent or an account of another place.
        ("Service cloudscheduler", "", GONE),
        ("Service", "disableOnDestroy", True),
        ("Service pubsub", "disableDependentServices", True),
        ("ServiceIdentity", "project", "another"),
        ("Account", "accountId", "another"),
        ("Account", "disabled", True),
        ("KeyRing", "name", "desk"),
        ("KeyRing", "location", "global"),
        ("CryptoKey", "rotationPeriod", "315360000s"),
        ("CryptoKey", "destroyScheduledDuration", "86400s"),
        # What lasts: where it is, how long, and what deletes it.
        ("Database", "name", "desk"),
        ("Database", "locationId", "eur3"),
        ("Database", "type", "DATASTORE_MODE"),
        ("Database", "deletionPolicy", "ABANDON"),
        ("Database", "pointInTimeRecoveryEnablement", "POINT_IN_TIME_RECOVERY_DISABLED"),
        ("Database", "option protect", GONE),
        ("Database", "option retainOnDelete", True),
        ("BackupSchedule", "retention", "86400s"),
        ("BackupSchedule", "weeklyRecurrence", {"day": "SUNDAY"}),
        ("Field market-minutes-expires_at", "ttlConfig", GONE),
        ("Field book-orders-json", "ttlConfig", {}),
        ("Field book-orders-json", "indexConfig", GONE),
        ("Field", "option deletedWith", GONE),
        ("Index", "fields.0.order", "DESCENDING"),
        ("Secret", "ttl", "86400s"),
        ("Secret", "replication.userManaged.replicas", []),
        ("Secret", "versionDestroyTtl", "86400s"),
        ("Secret", "option protect", GONE),
        ("Bucket", "location", "EU"),
        ("Bucket", "forceDestroy", False),
        ("Bucket", "publicAccessPrevention", "inherited"),
        ("BucketObject", "option retainOnDelete", GONE),
        ("BucketObject archive-market_scan", "name", "functions/notify-0000000000000000.zip"),
        ("Repository", "cleanupPolicies.0.mostRecentVersions.keepCount", 0),
        ("Repository", "cleanupPolicies", []),
        ("Repository", "cleanupPolicyDryRun", True),
        # What works: where it is, who it is, what it is told, and how much of it there is.
        ("Function", "location", "us-central1"),
        ("Function", "description", "STRATEGY_OPERATOR=another"),
        ("Function", "buildConfig.serviceAccount", GONE),
        ("Function", "buildConfig.environmentVariables.SOURCE_ARCHIVE", "functions/notify-0000000000000000.zip"),
        ("Function", "buildConfig.runtime", "python39"),
        ("Function", "buildConfig.dockerRepository", "gcf-artifacts"),
        ("Function", "buildConfig.environmentVariables", {"GOOGLE_ENTRYPOINT": "sh"}),
        (SCAN, f"{SERVED}.ingressSettings", "ALLOW_ALL"),
        (SCAN, f"{SERVED}.maxInstanceCount", 100),
        (SCAN, f"{SERVED}.minInstanceCount", 10),
        (SCAN, f"{SERVED}.serviceAccountEmail", "1-compute@developer.gserviceaccount.com"),
        (SCAN, f"{SERVED}.allTrafficOnLatestRevision", False),
        (SCAN, f"{SERVED}.secretEnvironmentVariables", [{"key": "TOKEN", "secret": "trumpet"}]),
        (SCAN, f"{SERVED}.vpcConnector", "another"),
        (SCAN, f"{CONFIGURED}.THREADS", "4"),
        (SCAN, f"{CONFIGURED}.STRATEGY_SIGN_IN_URL", "https://example.com/start"),
        (SCAN, f"{CONFIGURED}.OPENBLAS_NUM_THREADS", GONE),
        # What calls it: topics, pushes, what nobody could take, and the clock.
        ("Topic", "name", "topic"),
        ("Topic", "kmsKeyName", "another"),
        ("Topic", "messageStoragePolicy", {"allowedPersistenceRegions": ["europe-west1"]}),
        ("Topic", "option protect", True),
        (PUSHED, "filter", 'attributes.x="y"'),
        (PUSHED, "pushConfig.noWrapper", {"writeMetadata": False}),
        (PUSHED, "pushConfig.oidcToken", GONE),
        (PUSHED, "ackDeadlineSeconds", 10),
        (PUSHED, "enableExactlyOnceDelivery", True),
        (PUSHED, "deadLetterPolicy.maxDeliveryAttempts", 100),
        (PUSHED, "retryPolicy", GONE),
        (EMPTY, "expirationPolicy", GONE),
        (EMPTY, "messageRetentionDuration", "60s"),
        (EMPTY, "pushConfig", {}),
        ("Job", "paused", True),
        ("Job", "timeZone", "Etc/UTC"),
        ("Job at-scan", "schedule", "*/2 9-15 * * 1-5"),
        ("Job", "pubsubTarget.data", "e30="),
        ("Job", "retryConfig", {"retryCount": 5}),
        # Who may do it.
        ("IAMMember", "condition", {"title": "always", "expression": "true"}),
        ("ServiceIamMember", "member", "allAuthenticatedUsers"),
        ("SecretIamMember", "secretId", "another"),
        ("TopicIAMMember", "role", "roles/pubsub.editor"),
        ("SubscriptionIAMMember", "subscription", "another"),
        ("BucketIAMMember", "bucket", "another"),
        ("RepositoryIamMember", "role", "roles/artifactregistry.admin"),
        ("CryptoKeyIAMMember", "member", "allUsers"),
        # What is remembered, and who is told.
        ("IAMAuditConfig", "auditLogConfigs.0.exemptedMembers", ["user:a@example.com"]),
        ("IAMAuditConfig", "auditLogConfigs", []),
        ("ProjectExclusion", "disabled", True),
        ("ProjectBucketConfig", "retentionDays", 30),
        ("ProjectBucketConfig", "locked", True),
        ("ProjectSink", "destination", "storage.googleapis.com/somebody-elses-bucket"),
        ("ProjectSink", "filter", _but(" OR logName", " AND logName")),
        ("ProjectSink", "disabled", True),
        ("NotificationChannel mail-1", "labels.email_address", "nobody@example.net"),
        ("NotificationChannel", "enabled", False),
        ("AlertPolicy", "enabled", False),
        ("AlertPolicy", "notificationChannels", []),
        ("AlertPolicy", "severity", "WARNING"),
        ("AlertPolicy", "documentation.content", "?"),
        ("AlertPolicy sign-in", "alertStrategy.notificationRateLimit", GONE),
        ("AlertPolicy delivery", f"{LIMIT}.duration", "86400s"),
        ("AlertPolicy delivery", f"{LIMIT}.aggregations.0.perSeriesAligner", "ALIGN_MEAN"),
        ("UptimeCheckConfig", "period", "3600s"),
        ("UptimeCheckConfig", "httpCheck.useSsl", False),
        ("UptimeCheckConfig", "httpCheck.acceptedResponseStatusCodes", [{"statusClass": "STATUS_CLASS_ANY"}]),
        ("Dashboard", "dashboardJson", "{}"),
        ("Budget", "amount.specifiedAmount.units", "75000"),
        ("Budget", "budgetFilter.projects", []),
        ("Budget", "thresholdRules", []),
    ],
)  # fmt: skip
def test_a_seeded_mistake_is_named(extended: Graph, what: str, path: str, value: Any) -> None:
    """The table names the resource and the input, or the option, of each of these mistakes."""
    found = list(differences(seeded(extended, what, path, value)))
    assert found
    named = path.partition(".")[0] if path else "is missing"
    typ, _, name = what.partition(" ")
    assert all(named in fault and f":{typ} {name}" in fault for fault in found)


def _delivery(graphs: Mapping[str, Graph]) -> None:
    many, few = ([test_alarms.answers("notify", "5xx", test_alarms.LATELY, count)] for count in (6, 5))
    test_alarms.test_failures_and_lost_messages_are_told(graphs, True, many)
    test_alarms.test_failures_and_lost_messages_are_told(graphs, False, few)


def _given_up(graphs: Mapping[str, Graph]) -> None:
    lost = [test_alarms.subscribed("dead_letter_message_count", test_alarms.LATELY, 1)]
    test_alarms.test_failures_and_lost_messages_are_told(graphs, True, lost)


def _down(graphs: Mapping[str, Graph]) -> None:
    test_alarms.test_a_page_that_is_down_is_told(graphs, True, test_alarms.checks(2, test_alarms.AN_HOUR))
    test_alarms.test_a_page_that_is_down_is_told(graphs, False, test_alarms.checks(1, test_alarms.AN_HOUR))


def _starts(graphs: Mapping[str, Graph]) -> None:
    test_functions.test_a_function_starts_with_what_it_is_given(graphs, TOPOLOGY.function("market_scan"))


_silent = partial(test_alarms.test_silence_is_told, expected=True, points=[])
_half_silent = partial(test_alarms.test_silence_is_told, expected=True, points=test_alarms.day(test_alarms.SCAN))
_lines, _verifiers = test_alarms.test_a_line_rings_its_own_alarm, test_watch.test_verifiers_are_not_kept_and_all_else_is
WIDE = (
    'resource.type="cloud_run_revision" AND resource.labels.service_name=("oauth-callback")'
    ' AND logName:"run.googleapis.com%2Frequests" AND httpRequest.requestUrl:"/callback"'
)


@pytest.mark.parametrize(
    ("check", "what", "path", "value"),
    [
        (_delivery, "AlertPolicy delivery", f"{LIMIT}.comparison", "COMPARISON_LT"),
        (_delivery, "AlertPolicy delivery", f"{LIMIT}.thresholdValue", 500_000),
        (_delivery, "AlertPolicy delivery", f"{LIMIT}.filter", _but("5xx", "4xx")),
        (_delivery, "AlertPolicy delivery", "enabled", False),
        (_given_up, "AlertPolicy delivery", "conditions.1.conditionThreshold.filter", _but("dead_letter", "acked")),
        (_given_up, "AlertPolicy delivery", "conditions.1.conditionThreshold.filter",
         lambda old: f'{old} AND resource.labels.subscription_id = "dead-letters-kept"'),
        (_down, "AlertPolicy oauth_callback-down", f"{LIMIT}.thresholdValue", 1000),
        (_down, "AlertPolicy oauth_callback-down", f"{LIMIT}.thresholdValue", 0),
        (_down, "AlertPolicy oauth_callback-down", f"{LIMIT}.filter", _but("check_passed", "request_latency")),
        (_silent, "AlertPolicy silence", QUERY, _but("< 1)", "< 0)")),
        (_silent, "AlertPolicy silence", QUERY, _but(" or vector(0)", "")),
        (_silent, "AlertPolicy silence", QUERY, _but("hour() < 20", "hour() < 16")),
        (_half_silent, "AlertPolicy silence", QUERY, _but(" or ((", " and ((")),
        (_silent, "AlertPolicy silence", "enabled", False),
        (_lines, "AlertPolicy broken", LINES, _but("jsonPayload.event", "jsonPayload.evnt")),
        (_lines, "AlertPolicy broken", LINES, _but("cloud_run_revision", "cloud_function")),
        (_lines, "AlertPolicy broken", LINES, _but(' OR "forged_signal"', "")),
        (_lines, "AlertPolicy broken", LINES, _but('"crash"', '"order_unknown" OR "crash"')),
        (_lines, "AlertPolicy broken", "enabled", False),
        (_verifiers, "ProjectExclusion", "filter", 'logName:"requests"'),
        (_verifiers, "ProjectExclusion", "filter", 'logName:"audit"'),
        (_verifiers, "ProjectExclusion", "filter", WIDE),
        (_verifiers, "ProjectSink", "exclusions", []),
        (_starts, "Function", f"{CONFIGURED}.ACCESS_TOKEN", "x"),
        (_starts, "Function", f"{CONFIGURED}.STRATEGY_NOTIFY_ADDRESSES", "ntfys://canary"),
        (_starts, "Function", f"{CONFIGURED}.STRATEGY_MODE", "live"),
    ],
)  # fmt: skip
def test_a_seeded_mistake_is_caught(
    graphs: Mapping[str, Graph], check: Check, what: str, path: str, value: Any
) -> None:
    """A test passes on the graphs as they are, and fails as soon as one input of one kind is wrong."""
    check(graphs)
    production = {"production": seeded(graphs["production"], what, path, value)}
    with pytest.raises((AssertionError, ConfigError)):
        check({**graphs, **production})
