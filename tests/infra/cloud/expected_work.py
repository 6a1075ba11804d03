"""Rows: the functions, the topics, how messages are pushed and where they end, and the clock."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from shared.topology import Function, Schedule
from tests.infra.cloud.facts import Cloud, Thing, dashed

RUNTIME, DEAD_LETTERS, A_WEEK = "python313", "dead-letters", "604800s"
NEVER = {"ttl": ""}


def rows(cloud: Cloud) -> Iterator[Thing]:
    """Give what does the work and what calls it."""
    for one in cloud.topology.functions:
        yield _function(cloud, one)
    for topic in (*cloud.topology.topics, DEAD_LETTERS):
        yield Thing("pubsub/topic:Topic", topic, {"name": topic, "kmsKeyName": cloud.key})
    yield from _subscriptions(cloud)
    for schedule in cloud.topology.schedules:
        yield _job(cloud, schedule)


def _function(cloud: Cloud, one: Function) -> Thing:
    archive = {"bucket": f"{cloud.project}-source", "object": f"functions/{cloud.archives[one.name]}"}
    build = {
        "runtime": RUNTIME, "entryPoint": "main", "serviceAccount": cloud.account("build-functions"),
        "dockerRepository": cloud.id_of(f"locations/{cloud.region}/repositories/images"),
        "source": {"storageSource": archive}, "environmentVariables": {"SOURCE_ARCHIVE": archive["object"]},
    }  # fmt: skip
    service = {
        "serviceAccountEmail": cloud.email(f"run-{dashed(one)}"),
        "ingressSettings": "ALLOW_ALL" if one.public else "ALLOW_INTERNAL_ONLY",
        "availableMemory": f"{one.memory_mib}Mi", "availableCpu": f"{one.cpu:g}", "timeoutSeconds": one.timeout_s,
        "maxInstanceRequestConcurrency": one.concurrency, "maxInstanceCount": one.max_instances,
        "environmentVariables": _environment(cloud, one),
    }  # fmt: skip
    inputs = {"name": dashed(one), "location": cloud.region, "description": one.purpose}
    whole = inputs | {"buildConfig": build, "serviceConfig": service}
    return Thing("cloudfunctionsv2/function:Function", one.name, whole)


def _environment(cloud: Cloud, one: Function) -> dict[str, str]:
    page = f"https://{cloud.host(cloud.page)}"
    registered = cloud.given("callbackRegistered") == "true"
    return {
        "GOOGLE_CLOUD_PROJECT": cloud.project,
        "FIRESTORE_DATABASES": f"desk-{cloud.generation}",
        **json.loads(cloud.given("settings")),
        "STRATEGY_SIGN_IN_URL": f"{page}/start",
        **({"ETRADE_OAUTH_CALLBACK_URL": f"{page}/callback"} if registered else {}),
        "THREADS": str(one.concurrency),
        "OPENBLAS_NUM_THREADS": "1",
        "LOG_EXECUTION_ID": "false",
    }


def _subscriptions(cloud: Cloud) -> Iterator[Thing]:
    """Give the pushes, each signed for its own address and given up in the end, and what keeps the given up ones."""
    typ = "pubsub/subscription:Subscription"
    lasting = {"messageRetentionDuration": A_WEEK, "expirationPolicy": NEVER}
    kept = {"name": DEAD_LETTERS, "topic": cloud.topic(DEAD_LETTERS), "ackDeadlineSeconds": 600, **lasting}
    yield Thing(typ, f"{DEAD_LETTERS}-kept", kept)
    for function in cloud.topology.functions:
        address = f"https://{cloud.host(function)}"
        token = {"serviceAccountEmail": cloud.email(f"push-{dashed(function)}"), "audience": address}
        for one in function.subscriptions:
            name = f"{one.topic}-to-{dashed(function)}"
            push: dict[str, Any] = {
                "name": name, "topic": cloud.topic(one.topic), "ackDeadlineSeconds": one.ack_deadline_s, **lasting,
                "pushConfig": {"pushEndpoint": address, "oidcToken": token},
                "retryPolicy": {"minimumBackoff": f"{one.min_backoff_s}s", "maximumBackoff": f"{one.max_backoff_s}s"},
                "deadLetterPolicy": {
                    "deadLetterTopic": cloud.topic(DEAD_LETTERS), "maxDeliveryAttempts": one.max_attempts,
                },
            }  # fmt: skip
            yield Thing(typ, name, push)


def _job(cloud: Cloud, schedule: Schedule) -> Thing:
    message = {"body": dict(schedule.body), "kind": schedule.message, "schema_version": 1}
    body = json.dumps(message, separators=(",", ":")).encode()
    inputs = {
        "name": schedule.name, "region": cloud.region, "description": cloud.topology.topics[schedule.topic],
        "schedule": schedule.cron, "timeZone": "America/New_York",
        "pubsubTarget": {"topicName": cloud.topic(schedule.topic), "data": base64.b64encode(body).decode()},
    }  # fmt: skip
    return Thing("cloudscheduler/job:Job", f"at-{schedule.name}", inputs, unlike="attemptDeadline")
