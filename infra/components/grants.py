"""Grants of the matrix as resources: one additive member each, never a binding or a policy."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra.components.matrix import Grant, Place
from infra.components.names import dashed
from infra.components.stage import Stage


def grant(
    stage: Stage, parent: pulumi.Resource, place: Place, targets: Mapping[str, Any]
) -> tuple[pulumi.Resource, ...]:
    """Make the stack's grants on things of one kind, each after its thing; `targets` has them by their names."""
    return tuple(_one(stage, parent, one, targets[one.on]) for one in stage.grants(place))


def on_project(stage: Stage, parent: pulumi.Resource) -> tuple[pulumi.Resource, ...]:
    """Make the stack's grants on the project itself and on its databases, which Google only knows as a condition."""
    return tuple(
        gcp.projects.IAMMember(
            one.key,
            project=stage.deployment.project,
            role=one.role,
            member=stage.member(one.who),
            condition=gcp.projects.IAMMemberConditionArgs(**condition) if (condition := stage.condition(one)) else None,
            opts=stage.child(parent),
        )
        for one in stage.grants(Place.PROJECT, Place.DATABASE)
    )


def _one(stage: Stage, parent: pulumi.Resource, one: Grant, target: Any) -> Any:
    given = {"role": one.role, "member": stage.member(one.who), "opts": stage.child(parent, target)}
    region = stage.deployment.region
    match one.place:
        case Place.TOPIC:
            return gcp.pubsub.TopicIAMMember(one.key, topic=target.name, **given)
        case Place.SUBSCRIPTION:
            return gcp.pubsub.SubscriptionIAMMember(one.key, subscription=target.name, **given)
        case Place.SECRET:
            return gcp.secretmanager.SecretIamMember(one.key, secret_id=target.secret_id, **given)
        case Place.SERVICE:
            return gcp.cloudrunv2.ServiceIamMember(one.key, name=dashed(one.on), location=region, **given)
        case Place.ACCOUNT:
            return gcp.serviceaccount.IAMMember(one.key, service_account_id=target.name, **given)
        case Place.BUCKET:
            return gcp.storage.BucketIAMMember(one.key, bucket=target.name, **given)
        case Place.REPOSITORY:
            return gcp.artifactregistry.RepositoryIamMember(
                one.key, repository=target.repository_id, location=region, **given
            )
        case _:
            return gcp.kms.CryptoKeyIAMMember(one.key, crypto_key_id=target.id, **given)
