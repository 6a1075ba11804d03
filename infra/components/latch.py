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

    The engine deletes in the opposite order, what nothing else needs first, and ends at the first refusal. A preview
    shows it every refusal before it begins; without one (`pulumi destroy --skip-preview`) it would meet the first
    protected thing when functions, pushes and alerts are gone. With the latch in front of them it meets that one, and
    takes nothing. An `up` never has a reason to delete it.
    """

    def __init__(self, name: str, args: LatchArgs, opts: pulumi.ResourceOptions) -> None:
        own = pulumi.ResourceOptions(depends_on=list(args.parts), protect=args.deployment.protect or None)
        super().__init__("strategy:index:Latch", name, {}, pulumi.ResourceOptions.merge(opts, own))
        self.register_outputs({})
