"""Publishing in the cloud: only functions that publish import this, so that only their archives hold Pub/Sub."""

from shared.ports import Bus, Chance, Clock


def open_bus(project: str, clock: Clock, chance: Chance) -> Bus:
    """Give the bus of a project; connects nowhere yet."""
    from shared.gcp.pubsub_bus import PubsubBus  # late: other worlds load none of Google's libraries

    return PubsubBus(project=project, clock=clock, chance=chance)
