"""A stack and a topology in which everything is another one than in the committed files: what is not derived shows."""

import json
from collections.abc import Mapping
from dataclasses import replace

from shared.stored import Collection, Domain
from shared.topology import TOPOLOGY, Function, Index, Right, Schedule, Subscription
from tests.infra.cloud.capture import PULUMI_PROJECT

STACK = "trial"
_OWN: Mapping[str, str] = {
    "projectNumber": "700000000007",
    "owner": "Another.Owner@example.com",
    "alertEmails": json.dumps(["first@example.com", "second@example.com"]),
    "billingAccount": "AAAAAA-BBBBBB-CCCCCC",
    "budget": "75",
    "generation": "7",
    "protect": "true",
    "customerKeys": "true",
    "trailDays": "400",
    "callbackRegistered": "true",
    "settings": json.dumps({
        "STRATEGY_MODE": "paper", "STRATEGY_OPERATOR": "another", "ETRADE_SANDBOX": "true",
        "STRATEGY_CONFIG": "default", "STRATEGY_WATCH_LIST": "IBM", "STRATEGY_CAPITAL_USD": "7000",
    }),
}  # fmt: skip
CONFIG: Mapping[str, str] = {
    "gcp:project": "trial-project", "gcp:region": "europe-west1",
    **{f"{PULUMI_PROJECT}:{name}": value for name, value in _OWN.items()},
}  # fmt: skip

HERALD = Function(
    name="herald",
    purpose="reads the news aloud",
    home=Domain.NOTICES,
    subscriptions=(Subscription(topic="news", ack_deadline_s=70, max_attempts=7),),
    publishes=frozenset({"exits"}),
    collections={"proclaimed": Right.READ | Right.CREATE},
    secrets={"trumpet": Right.READ | Right.CREATE},
)
EXTENDED = replace(
    TOPOLOGY,
    functions=(*TOPOLOGY.functions, HERALD),
    topics={**TOPOLOGY.topics, "news": "what is new"},
    schedules=(*TOPOLOGY.schedules, Schedule(name="gazette", cron="* 8 * * *", topic="news", message="gazette")),
    secrets={**TOPOLOGY.secrets, "trumpet": "what it blows"},
    collections={
        **TOPOLOGY.collections,
        "proclaimed": Collection(purpose="what was read aloud", domain=Domain.NOTICES),
    },
    lifetimes={**TOPOLOGY.lifetimes, "proclaimed": 30},
    indexes=(Index(collection="proclaimed", fields=("live", "updated_at")),),
)
