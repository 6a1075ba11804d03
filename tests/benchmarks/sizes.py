"""The shares of a CPU that are measured, and what the topology and the cloud say to each."""

from shared.topology import TOPOLOGY, Function
from tests.benchmarks.prices import month, price, refusal

CANDIDATES = (0.333, 0.5, 1.0)
TOPOLOGY_SHARES = "topology"


def shares(text: str) -> tuple[float, ...]:
    """Read shares with commas between them, or `topology`: the candidates and what the topology gives."""
    if text == TOPOLOGY_SHARES:
        return tuple(sorted({*CANDIDATES, *(function.cpu for function in TOPOLOGY.functions)}))
    return tuple(float(one) for one in text.split(","))


def usd_a_month(function: Function, share: float) -> float:
    """Give what a function costs at most at a share, nothing free."""
    return float(price(month(function, TOPOLOGY, cpu=share)))


def remark(function: Function, share: float) -> str:
    """Say why the cloud refuses a share for a function, or that the topology gives it; else nothing."""
    refused = refusal(cpu=share, memory_mib=function.memory_mib, concurrency=function.concurrency)
    return (refused and f"refused: {refused}") or ("topology" if share == function.cpu else "")
