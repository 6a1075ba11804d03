"""What a destruction meets first."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.components.deployment import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class LatchArgs:
    """What the latch is built from: the stack's choices, and every part of the stack."""

    deployment: Deployment
    parts: Sequence[pulumi.Resource]


class Latch(pulumi.ComponentResource):
    """Nothing at Google: a group without resources that comes after everything, and is protected where the stack is.

    A preview shows the engine every refusal before it begins. Without one (`pulumi destroy --skip-preview`) it deletes
    from the last to the first, and past a refusal it goes on with all that the refused thing does not rest on: with
    functions, pushes and alerts, had it only the database to refuse. The latch rests on everything and is met first. An
    `cloud-up` never has a reason to delete it.
    """

    def __init__(self, name: str, args: LatchArgs, opts: pulumi.ResourceOptions) -> None:
        own = pulumi.ResourceOptions(depends_on=list(args.parts), protect=args.deployment.protect or None)
        super().__init__("strategy:index:Latch", name, {}, pulumi.ResourceOptions.merge(opts, own))
        self.register_outputs({})
