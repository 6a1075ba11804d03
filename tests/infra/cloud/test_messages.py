"""Messages reach the functions as the topology says, are signed for them, and are never lost without a trace."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from infra.components.messages import body
from infra.day.machine import scheduled_body
from shared.topology import NEW_YORK, TOPOLOGY, Schedule
from tests.infra.cloud.capture import Graph, Registered

TOPICS = "projects/example-project/topics/"


def faults(one: Registered) -> Iterator[str]:
    """Name what a push lacks so that it is signed, repeated with patience, and given up where it is kept."""
    push = one.inputs.get("pushConfig", {})
    signed = push.get("oidcToken", {})
    if not push.get("pushEndpoint", "").startswith("https://"):
        yield "is not pushed over https"
    if signed.get("audience") != push.get("pushEndpoint") or not signed.get("serviceAccountEmail"):
        yield "is not signed for its own address"
    if set(one.inputs.get("retryPolicy", {})) != {"minimumBackoff", "maximumBackoff"}:
        yield "is repeated without a policy"
    dead = one.inputs.get("deadLetterPolicy", {})
    if dead.get("deadLetterTopic") != f"{TOPICS}dead-letters" or not 5 <= dead.get("maxDeliveryAttempts", 0) <= 100:
        yield "is never given up"
    if one.inputs.get("expirationPolicy") != {"ttl": ""}:
        yield "is forgotten when it is not used"


def _pushes(graph: Graph) -> dict[str, Registered]:
    return {one.inputs["name"]: one for one in graph.of("Subscription") if one.inputs["name"] != "dead-letters"}


def test_every_subscription_is_one_of_the_topology(graphs: Mapping[str, Graph]) -> None:
    """Each function gets each of its topics once, at its computed address, with the topology's times and attempts."""
    for graph in graphs.values():
        pushes = _pushes(graph)
        for function in TOPOLOGY.functions:
            dashed = function.name.replace("_", "-")
            for wanted in function.subscriptions:
                one = pushes.pop(f"{wanted.topic}-to-{dashed}")
                address = f"https://{dashed}-123456789012.us-east4.run.app"
                assert list(faults(one)) == []
                assert one.inputs["topic"] == f"{TOPICS}{wanted.topic}"
                assert one.inputs["pushConfig"]["pushEndpoint"] == address
                signer = one.inputs["pushConfig"]["oidcToken"]["serviceAccountEmail"]
                assert signer == f"push-{dashed}@example-project.iam.gserviceaccount.com"
                assert one.inputs["ackDeadlineSeconds"] == wanted.ack_deadline_s
                assert one.inputs["retryPolicy"] == {
                    "minimumBackoff": f"{wanted.min_backoff_s}s",
                    "maximumBackoff": f"{wanted.max_backoff_s}s",
                }
                assert one.inputs["deadLetterPolicy"]["maxDeliveryAttempts"] == wanted.max_attempts
        assert pushes == {}


@pytest.mark.parametrize("lost", ["pushConfig", "retryPolicy", "deadLetterPolicy", "expirationPolicy"])
def test_a_seeded_careless_push_is_found(graphs: Mapping[str, Graph], lost: str) -> None:
    """A push without its signature, patience, end or memory is named."""
    one = next(iter(_pushes(graphs["sandbox"]).values()))
    careless = replace(one, inputs={name: value for name, value in one.inputs.items() if name != lost})
    assert list(faults(careless))
    foreign: dict[str, Any] = {**one.inputs["pushConfig"], "oidcToken": {"serviceAccountEmail": "x", "audience": "y"}}
    assert list(faults(replace(one, inputs={**one.inputs, "pushConfig": foreign})))


def test_dead_letters_are_kept_and_never_put_back(graphs: Mapping[str, Graph]) -> None:
    """One subscription keeps dead letters for a week, pushes them nowhere, and nobody but Pub/Sub publishes them."""
    for graph in graphs.values():
        kept = graph.one("Subscription", "dead-letters-kept").inputs
        assert (kept["topic"], kept["messageRetentionDuration"]) == (f"{TOPICS}dead-letters", "604800s")
        assert "pushConfig" not in kept
        publishers = [
            one.inputs["member"] for one in graph.of("TopicIAMMember") if one.inputs["topic"] == "dead-letters"
        ]
        assert publishers == ["serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"]


def test_the_topics_are_those_of_the_topology(graphs: Mapping[str, Graph]) -> None:
    """Every topic exists under the name that the functions publish to, beside the one for dead letters."""
    for graph in graphs.values():
        assert {one.inputs["name"] for one in graph.of("Topic")} == {*TOPOLOGY.topics, "dead-letters"}


@pytest.mark.parametrize("schedule", TOPOLOGY.schedules, ids=lambda schedule: schedule.name)
def test_a_schedule_publishes_what_the_functions_read(graphs: Mapping[str, Graph], schedule: Schedule) -> None:
    """A job publishes, in New York time, the very bytes that the one-machine scheduler publishes."""
    job = graphs["sandbox"].one("Job", f"at-{schedule.name}").inputs
    assert (job["schedule"], job["timeZone"], job["name"]) == (schedule.cron, NEW_YORK, schedule.name)
    assert job["pubsubTarget"]["topicName"] == f"{TOPICS}{schedule.topic}"
    assert base64.b64decode(job["pubsubTarget"]["data"]) == body(schedule) == scheduled_body(schedule.message)


def test_a_seeded_other_message_differs() -> None:
    """A schedule whose fields are not the message's own publishes other bytes."""
    prepare = next(one for one in TOPOLOGY.schedules if one.message == "prepare_tick")
    assert json.loads(body(prepare))["body"] == {"reason": "schedule"}
    assert body(replace(prepare, body={})) != scheduled_body("prepare_tick")
