"""The clock of the cloud publishes the very messages that the functions read."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from infra.components.messages import body
from infra.simulated_day.machine import scheduled_body
from shared.topology import TOPOLOGY, Schedule
from tests.infra.cloud.capture import Graph


@pytest.mark.parametrize("schedule", TOPOLOGY.schedules, ids=lambda schedule: schedule.name)
def test_a_schedule_publishes_what_the_functions_read(graphs: Mapping[str, Graph], schedule: Schedule) -> None:
    """A job publishes the very bytes that the one-machine scheduler publishes."""
    job = graphs["sandbox"].one("Job", f"at-{schedule.name}").inputs
    assert base64.b64decode(job["pubsubTarget"]["data"]) == body(schedule) == scheduled_body(schedule.message)


def test_a_seeded_other_message_differs() -> None:
    """A schedule whose fields are not the message's own publishes other bytes."""
    prepare = next(one for one in TOPOLOGY.schedules if one.message == "prepare_tick")
    assert json.loads(body(prepare))["body"] == {"reason": "schedule"}
    assert body(replace(prepare, body={})) != scheduled_body("prepare_tick")
