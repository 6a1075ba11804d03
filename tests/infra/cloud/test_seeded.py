"""A control is worth what it catches: each of these mistakes makes the test of its control fail."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from shared.topology import TOPOLOGY
from tests.infra.cloud import test_database, test_functions, test_messages, test_order, test_permissions, test_watch
from tests.infra.cloud.capture import Graph

Check = Callable[[Mapping[str, Graph]], None]
GONE = object()


def changed(graphs: Mapping[str, Graph], typ: str, path: str, value: Any) -> dict[str, Graph]:
    """Change one input of every resource of a type, in every stack; GONE takes it away."""
    return {stack: _changed(graph, typ, path.split("."), value) for stack, graph in graphs.items()}


def _changed(graph: Graph, typ: str, path: list[str], value: Any) -> Graph:
    resources = dict(graph.resources)
    for one in graph.of(typ):
        if path == ["protect"]:
            resources[one.urn] = replace(one, protect=value)
            continue
        inputs: Any = deepcopy(dict(one.inputs))
        place = inputs
        for name in path[:-1]:
            place = place[int(name)] if name.isdigit() else place.get(name, {})
        if value is GONE:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value
        resources[one.urn] = replace(one, inputs=inputs)
    return Graph(resources=resources, outputs=graph.outputs)


def _scan(graphs: Mapping[str, Graph]) -> None:
    test_functions.test_a_function_is_what_the_topology_says(graphs, TOPOLOGY.function("market_scan"))


def _starts(graphs: Mapping[str, Graph]) -> None:
    test_functions.test_a_function_starts_with_what_it_is_given(graphs, TOPOLOGY.function("order_placement"))


WIDE = (
    'resource.type="cloud_run_revision" AND resource.labels.service_name=("oauth-callback")'
    ' AND logName:"run.googleapis.com%2Frequests" AND httpRequest.requestUrl:"/callback"'
)


def _schedule(graphs: Mapping[str, Graph]) -> None:
    test_messages.test_a_schedule_publishes_what_the_functions_read(graphs, TOPOLOGY.schedules[0])


def _dead_letters(graphs: Mapping[str, Graph]) -> None:
    test_messages.test_dead_letters_are_kept_and_never_put_back(graphs)


def _alerts(graphs: Mapping[str, Graph]) -> None:
    test_watch.test_a_new_project_takes_every_alert(graphs, "sandbox")


def _provider(graphs: Mapping[str, Graph]) -> None:
    test_order.test_only_the_default_provider_is_used(graphs, "sandbox")


@pytest.mark.parametrize(
    ("check", "typ", "path", "value"),
    [
        (test_order.test_production_is_protected_and_sandbox_is_not, "Database", "protect", False),
        (test_order.test_production_is_protected_and_sandbox_is_not, "Topic", "protect", True),
        (test_order.test_production_is_protected_and_sandbox_is_not, "Database", "deletionPolicy", "ABANDON"),
        (test_order.test_production_is_protected_and_sandbox_is_not, "Bucket", "forceDestroy", True),
        (test_order.test_production_is_protected_and_sandbox_is_not, "Bucket", "publicAccessPrevention", "inherited"),
        (test_order.test_names_that_google_keeps_have_a_number, "Database", "name", "desk"),
        (test_order.test_names_that_google_keeps_have_a_number, "KeyRing", "name", "desk"),
        (test_order.test_images_do_not_pile_up, "Repository", "cleanupPolicies", []),
        (test_order.test_images_do_not_pile_up, "Function", "buildConfig.dockerRepository", "gcf-artifacts"),
        (_provider, "Service", "disableOnDestroy", True),
        (_scan, "Function", "serviceConfig.ingressSettings", "ALLOW_ALL"),
        (_scan, "Function", "serviceConfig.maxInstanceCount", 100),
        (_scan, "Function", "serviceConfig.serviceAccountEmail", "1-compute@developer.gserviceaccount.com"),
        (_scan, "Function", "buildConfig.runtime", "python39"),
        (_starts, "Function", "serviceConfig.environmentVariables.THREADS", "4"),
        (_starts, "Function", "serviceConfig.environmentVariables.ACCESS_TOKEN", "x"),
        (_starts, "Function", "serviceConfig.environmentVariables.STRATEGY_NOTIFY_ADDRESSES", "ntfys://canary"),
        (_starts, "Function", "serviceConfig.environmentVariables.STRATEGY_SIGN_IN_URL", "https://example.com/start"),
        (_starts, "Function", "serviceConfig.environmentVariables.OPENBLAS_NUM_THREADS", GONE),
        (_starts, "Function", "serviceConfig.environmentVariables.STRATEGY_MODE", "live"),
        (_schedule, "Job", "timeZone", "Etc/UTC"),
        (_schedule, "Job", "pubsubTarget.data", "e30="),
        (_dead_letters, "Subscription", "messageRetentionDuration", "60s"),
        (_dead_letters, "Subscription", "pushConfig", {}),
        (test_messages.test_every_subscription_is_one_of_the_topology, "Subscription", "ackDeadlineSeconds", 10),
        (test_messages.test_the_topics_are_those_of_the_topology, "Topic", "name", "topic"),
        (test_database.test_secrets_are_those_of_the_topology, "SecretIamMember", "secretId", "another"),
        (test_database.test_secrets_are_those_of_the_topology, "Secret", "replication.userManaged.replicas", []),
        (test_database.test_customer_keys_reach_all_that_lasts, "CryptoKey", "rotationPeriod", "315360000s"),
        (test_database.test_customer_keys_reach_all_that_lasts, "Topic", "kmsKeyName", "another"),
        (test_database.test_production_can_be_restored, "BackupSchedule", "retention", "86400s"),
        (test_database.test_what_no_query_asks_is_not_indexed, "Field", "indexConfig", GONE),
        (_alerts, "AlertPolicy", "notificationChannels", []),
        (_alerts, "AlertPolicy", "alertStrategy.notificationRateLimit", GONE),
        (test_watch.test_only_the_open_page_is_tried_from_outside, "UptimeCheckConfig", "httpCheck.useSsl", False),
        (test_watch.test_verifiers_are_not_kept_and_all_else_is, "ProjectExclusion", "filter", 'logName:"requests"'),
        (test_watch.test_verifiers_are_not_kept_and_all_else_is, "ProjectExclusion", "filter", 'logName:"audit"'),
        (test_watch.test_verifiers_are_not_kept_and_all_else_is, "ProjectExclusion", "filter", WIDE),
        (test_watch.test_verifiers_are_not_kept_and_all_else_is, "ProjectSink", "exclusions", []),
        (test_watch.test_the_trail_is_kept_for_years, "ProjectBucketConfig", "retentionDays", 30),
        (test_watch.test_the_trail_is_kept_for_years, "IAMAuditConfig", "auditLogConfigs", []),
        (test_watch.test_the_budget_warns_and_the_dashboard_shows, "Budget", "budgetFilter.projects", []),
        (test_permissions.test_every_account_is_used_and_none_is_shared, "Account", "accountId", "another"),
    ],
)  # fmt: skip
def test_a_seeded_mistake_is_caught(graphs: Mapping[str, Graph], check: Check, typ: str, path: str, value: Any) -> None:
    """A test passes on the graph as it is, and fails as soon as one input of one kind is wrong."""
    check(graphs)
    wrong = changed(graphs, typ, path, value)
    with pytest.raises((AssertionError, ValueError, KeyError)):
        check(wrong)
