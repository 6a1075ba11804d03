"""Every input of every resource is one that the packages and the provider take."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pytest

from tests.infra.cloud import rules as provider
from tests.infra.cloud import sdk
from tests.infra.cloud.capture import Graph

STACKS = ("sandbox", "production", "keys")
# What 10.2 knows and 9.37 does not, of the modules that the program uses. Another version needs another list.
LISTED = "10.2."
ONLY_IN_TEN = frozenset({
    "ServiceArgs.functionalType", "ServiceArgs.sshEnabled", "ServiceTemplateArgs.workloadIdentityConfig",
    "SecretArgs.secretType",
})  # fmt: skip
PUSH = "gcp:pubsub/subscription:Subscription"


@pytest.mark.parametrize("stack", STACKS)
def test_the_package_knows_every_input(graphs: Mapping[str, Graph], stack: str) -> None:
    """No resource has an unknown, a missing or a wrongly typed input, at any depth."""
    found = [fault for one in graphs[stack].custom for fault in sdk.faults(one.typ, one.inputs)]
    assert found == []


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ({"topic": "t", "ackDeadlineSecond": 5}, "Subscription.ackDeadlineSecond is unknown"),
        ({"ackDeadlineSeconds": 5}, "Subscription.topic is missing"),
        ({"topic": "t", "ackDeadlineSeconds": "5"}, "Subscription.ackDeadlineSeconds is str, not int"),
        ({"topic": "t", "ackDeadlineSeconds": 5.5}, "Subscription.ackDeadlineSeconds is float, not int"),
        ({"topic": "t", "enableMessageOrdering": "true"}, "Subscription.enableMessageOrdering is str, not bool"),
        ({"topic": "t", "labels": {"a": 1.0}}, "Subscription.labels.a is float, not str"),
        ({"topic": "t", "labels": []}, "Subscription.labels is no map"),
        ({"topic": "t", "pushConfig": "https"}, "Subscription.pushConfig is no object"),
        ({"topic": "t", "messageTransforms": {}}, "Subscription.messageTransforms is no list"),
        (
            {"topic": "t", "pushConfig": {"pushEndpoint": "x", "oidcToken": {"serviceAccount": "y"}}},
            "Subscription.pushConfig.oidcToken.serviceAccount is unknown",
        ),
        (
            {"topic": "t", "pushConfig": {"pushEndpoint": "x", "oidcToken": {}}},
            "Subscription.pushConfig.oidcToken.serviceAccountEmail is missing",
        ),
        ({"topic": "t", "messageTransforms": [{"disabled": 1}]}, "Subscription.messageTransforms[].disabled"),
    ],
)
def test_a_seeded_input_fault_is_found(inputs: Mapping[str, Any], fault: str) -> None:
    """An input that the package does not know is named with its path."""
    assert any(found.startswith(fault) for found in sdk.faults(PUSH, inputs))


@pytest.mark.parametrize("stack", STACKS)
def test_both_versions_of_the_provider_know_every_input(graphs: Mapping[str, Graph], stack: str) -> None:
    """No input is one that only the newer provider knows, and the list of those is the installed version's."""
    assert version("pulumi-gcp").startswith(LISTED)
    used = {name for one in graphs[stack].custom for name in sdk.used(one.typ, one.inputs)}
    assert used & ONLY_IN_TEN == set()


def test_a_seeded_new_input_is_found() -> None:
    """An input of a nested object is seen by its class and name, and those on the list exist."""
    nested: dict[str, Any] = {"template": {"workloadIdentityConfig": {}}}
    assert sdk.used("gcp:cloudrunv2/service:Service", nested) & ONLY_IN_TEN
    for name in ONLY_IN_TEN:
        module = "secretmanager/secret:Secret" if name.startswith("Secret") else "cloudrunv2/service:Service"
        described = sdk.arguments(f"gcp:{module}")
        assert name.partition(".")[0].startswith(described.__name__.removesuffix("Args"))


@pytest.mark.parametrize("stack", STACKS)
def test_the_provider_refuses_nothing(graphs: Mapping[str, Graph], rules: Mapping[str, Any], stack: str) -> None:
    """No resource has a value, or lacks a choice, for which the provider would refuse it at preview."""
    graph = graphs[stack]
    found = [fault for one in graph.custom for fault in provider.faults(one.typ, one.inputs, rules)]
    assert found == []
    assert {one.typ for one in graph.custom} - set(rules) <= {
        "gcp:projects/serviceIdentity:ServiceIdentity",
        "gcp:projects/iAMAuditConfig:IAMAuditConfig",
        "gcp:pubsub/subscription:Subscription",
        "gcp:monitoring/notificationChannel:NotificationChannel",
        "gcp:monitoring/dashboard:Dashboard",
        "gcp:logging/projectSink:ProjectSink",
        "gcp:logging/projectExclusion:ProjectExclusion",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        "gcp:secretmanager/secret:Secret",
        "gcp:kms/keyRing:KeyRing",
    }


@pytest.mark.parametrize(
    ("typ", "inputs"),
    [
        ("gcp:cloudscheduler/job:Job", {"schedule": "* * * * *"}),
        ("gcp:cloudscheduler/job:Job", {"pubsubTarget": {}, "httpTarget": {}}),
        ("gcp:pubsub/topicIAMMember:TopicIAMMember", {"member": "robot@example.com"}),
        ("gcp:projects/service:Service", {"service": "pubsub"}),
        ("gcp:serviceaccount/account:Account", {"accountId": "Run-it"}),
        ("gcp:serviceaccount/iAMMember:IAMMember", {"serviceAccountId": "run@example.com"}),
        ("gcp:cloudfunctionsv2/function:Function", {"serviceConfig": {"ingressSettings": "INTERNAL"}}),
        ("gcp:artifactregistry/repository:Repository", {"cleanupPolicies": [{"action": "REMOVE"}]}),
        (
            "gcp:monitoring/alertPolicy:AlertPolicy",
            {"conditions": [{"conditionThreshold": {"aggregations": [{"perSeriesAligner": "ALIGN_BEST"}]}}]},
        ),
        ("gcp:firestore/database:Database", {"pointInTimeRecoveryEnablement": "ENABLED"}),
    ],
)
def test_a_seeded_value_is_refused(rules: Mapping[str, Any], typ: str, inputs: Mapping[str, Any]) -> None:
    """A value that the provider would refuse is found, at any depth and in lists."""
    assert provider.faults(typ, inputs, rules)
