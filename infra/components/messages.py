"""How messages travel: topics, pushes to functions, what nobody could take, and the clock that starts it all."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.components import names
from infra.components.grants import grant
from infra.components.matrix import Place
from infra.components.stage import Stage
from shared.topology import NEW_YORK, Function, Schedule, Subscription

SCHEMA_VERSION = 1
A_WEEK = "604800s"
NEVER = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsArgs:
    """What the topics are built from; with a key their messages are kept with that."""

    stage: Stage
    key: gcp.kms.CryptoKey | None


class Topics(pulumi.ComponentResource):
    """Topics, the one for dead letters among them, and who may publish to each.

    Dead letters are kept for a week by a subscription that nobody reads by itself and that does not expire: they are
    there for a person, whom an alert wakes, and are never put back by a machine.
    """

    def __init__(self, name: str, args: TopicsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Topics", name, {}, opts)
        stage, key = args.stage, args.key
        self.topics = {
            one: gcp.pubsub.Topic(one, name=one, kms_key_name=None if key is None else key.id, opts=stage.child(self))
            for one in (*stage.topology.topics, names.DEAD_LETTERS)
        }
        self.granted = grant(stage, self, Place.TOPIC, self.topics)
        gcp.pubsub.Subscription(
            f"{names.DEAD_LETTERS}-kept",
            name=names.DEAD_LETTERS,
            topic=self.topics[names.DEAD_LETTERS].id,
            ack_deadline_seconds=600,
            message_retention_duration=A_WEEK,
            expiration_policy=gcp.pubsub.SubscriptionExpirationPolicyArgs(ttl=NEVER),
            opts=stage.child(self),
        )
        self.register_outputs({"topics": sorted(self.topics)})


@dataclass(frozen=True, slots=True, kw_only=True)
class PushesArgs:
    """What the pushes are built from."""

    stage: Stage
    topics: Mapping[str, gcp.pubsub.Topic]


class Pushes(pulumi.ComponentResource):
    """Every subscription of every function: pushed to its own address, signed for it, and given up in the end.

    No order is asked for: every consumer bears messages in any order, as the one-machine bus sends them.
    """

    def __init__(self, name: str, args: PushesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Pushes", name, {}, opts)
        made = {
            names.subscription(one.topic, function.name): self._push(args, function, one)
            for function in args.stage.topology.functions
            for one in function.subscriptions
        }
        grant(args.stage, self, Place.SUBSCRIPTION, made)
        self.register_outputs({"subscriptions": sorted(made)})

    def _push(self, args: PushesArgs, function: Function, one: Subscription) -> gcp.pubsub.Subscription:
        name, stage = names.subscription(one.topic, function.name), args.stage
        address = stage.address(function)
        account = names.email(names.push_account(function.name), stage.deployment.project)
        return gcp.pubsub.Subscription(
            name,
            name=name,
            topic=args.topics[one.topic].id,
            ack_deadline_seconds=one.ack_deadline_s,
            message_retention_duration=A_WEEK,
            expiration_policy=gcp.pubsub.SubscriptionExpirationPolicyArgs(ttl=NEVER),
            push_config=gcp.pubsub.SubscriptionPushConfigArgs(
                push_endpoint=address,
                oidc_token=gcp.pubsub.SubscriptionPushConfigOidcTokenArgs(
                    service_account_email=account, audience=address
                ),
            ),
            retry_policy=gcp.pubsub.SubscriptionRetryPolicyArgs(
                minimum_backoff=f"{one.min_backoff_s}s", maximum_backoff=f"{one.max_backoff_s}s"
            ),
            dead_letter_policy=gcp.pubsub.SubscriptionDeadLetterPolicyArgs(
                dead_letter_topic=args.topics[names.DEAD_LETTERS].id, max_delivery_attempts=one.max_attempts
            ),
            opts=stage.child(self),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulesArgs:
    """What the schedules are built from."""

    stage: Stage
    topics: Mapping[str, gcp.pubsub.Topic]


class Schedules(pulumi.ComponentResource):
    """Jobs that publish to topics in New York time; deadlines and repetitions belong to the topics' subscriptions."""

    def __init__(self, name: str, args: SchedulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Schedules", name, {}, opts)
        for schedule in args.stage.topology.schedules:
            gcp.cloudscheduler.Job(
                f"at-{schedule.name}",
                name=schedule.name,
                region=args.stage.deployment.region,
                description=args.stage.topology.topics[schedule.topic],
                schedule=schedule.cron,
                time_zone=NEW_YORK,
                pubsub_target=gcp.cloudscheduler.JobPubsubTargetArgs(
                    topic_name=args.topics[schedule.topic].id, data=base64.b64encode(body(schedule)).decode()
                ),
                # Unsaid, the provider asks for 180s; where Google answers 0s (pulumi-gcp 3442) each would differ.
                opts=args.stage.child(self, unlike="attemptDeadline"),
            )
        self.register_outputs({"jobs": [one.name for one in args.stage.topology.schedules]})


def body(schedule: Schedule) -> bytes:
    """Write the message that a schedule publishes, as the functions read it."""
    message = {"kind": schedule.message, "schema_version": SCHEMA_VERSION, "body": dict(schedule.body)}
    return json.dumps(message, sort_keys=True, separators=(",", ":")).encode()
