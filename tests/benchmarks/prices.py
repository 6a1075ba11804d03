"""What a function costs in a month, from the graph alone: at most, and before anything is free.

Prices are those of google-cloud.md, section 7 (Cloud Run, request-based, tier 1, in USD): confirm them before quoting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from infra.one_machine.scheduler import instants
from shared.topology import Function, Topology
from shared.usecases.scanning.scan import TICKS
from shared.usecases.settling.settle import WORK_AT_MOST

VCPU_S_USD = Decimal("0.000024")  # section 7
GIB_S_USD = Decimal("0.0000025")  # section 7
REQUEST_USD = Decimal("0.40") / 1_000_000  # section 7
FREE_VCPU_S = 180_000  # section 7: a month, one account, all functions together
FREE_GIB_S = 360_000  # section 7
FREE_REQUESTS = 2_000_000  # section 7
BILLED_STEP_S = Decimal("0.1")  # section 7: rounded up to 100 ms
TRADING_DAYS = 21  # section 7: of a month
SMALLEST_CPU = 0.08  # section 6
WHOLE_CPU = 1.0  # section 6: less than one serves one request at a time
HALF_CPU = 0.5  # section 6: less than that has at most 512 MiB
MOST_MIB_BELOW_HALF = 512  # section 6

MESSAGES_A_DAY = 100
"""Those that no schedule sends: a demo day places 94 orders (tests/README.md, Measured)."""

# How long a message is worked on; any other is taken to last until its function's time-out.
# The scan goes on until the next tick's invocation holds its minute, which is late by as much as its own was; then it
# hands over.
_HANDS_OVER_S = 1
_WORK_S = {"scan_tick": TICKS + _HANDS_OVER_S, "settle_tick": int(WORK_AT_MOST.total_seconds())}
_A_WEEKDAY = datetime(2026, 11, 23, 5, tzinfo=UTC)  # midnight in New York


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is billed of a function in a month."""

    requests: int
    vcpu_s: Decimal
    gib_s: Decimal


def use(requests: int, each_s: Decimal, *, cpu: float, memory_mib: int) -> Use:
    """Give what requests of one length use at a size."""
    billed_s = (each_s / BILLED_STEP_S).to_integral_value(ROUND_CEILING) * BILLED_STEP_S * requests
    return Use(
        requests=requests, vcpu_s=billed_s * Decimal(str(cpu)), gib_s=billed_s * Decimal(memory_mib) / Decimal(1024)
    )


def month(function: Function, topology: Topology, *, cpu: float | None = None) -> tuple[Use, ...]:
    """Give what a function can use in a month, at the topology's CPU or another, one entry for each cause."""
    size, causes = function.cpu if cpu is None else cpu, []
    for one in function.subscriptions:
        scheduled = [schedule for schedule in topology.schedules if schedule.topic == one.topic]
        causes += [(_firings(schedule.cron), _work_s(schedule.message, function)) for schedule in scheduled]
        causes += [(MESSAGES_A_DAY, _work_s("", function))] * (not scheduled)
    causes += [(MESSAGES_A_DAY, _work_s("", function))] * (not function.subscriptions)
    return tuple(
        use(a_day * TRADING_DAYS, Decimal(each_s), cpu=size, memory_mib=function.memory_mib) for a_day, each_s in causes
    )


def price(uses: Iterable[Use], *, free: bool = False) -> Decimal:
    """Give the price in USD; with `free` for an account that uses nothing else."""
    every = tuple(uses)
    requests, vcpu_s, gib_s = (
        max(Decimal(0), used - (Decimal(granted) if free else 0))
        for used, granted in (
            (Decimal(sum(one.requests for one in every)), FREE_REQUESTS),
            (sum((one.vcpu_s for one in every), Decimal(0)), FREE_VCPU_S),
            (sum((one.gib_s for one in every), Decimal(0)), FREE_GIB_S),
        )
    )
    return requests * REQUEST_USD + vcpu_s * VCPU_S_USD + gib_s * GIB_S_USD


def refusal(*, cpu: float, memory_mib: int, concurrency: int) -> str:
    """Say why Cloud Run refuses a size; empty when it takes it."""
    if cpu < SMALLEST_CPU:
        return f"below {SMALLEST_CPU} CPU"
    if cpu < WHOLE_CPU and concurrency > 1:
        return f"{concurrency} at once need 1 CPU"
    if cpu < HALF_CPU and memory_mib > MOST_MIB_BELOW_HALF:
        return f"{memory_mib} MiB need 0.5 CPU"
    return ""


def _firings(cron: str) -> int:
    tomorrow = _A_WEEKDAY + timedelta(days=1)
    count = 0
    for at in instants(cron, _A_WEEKDAY):
        if at >= tomorrow:
            break
        count += 1
    return count


def _work_s(message: str, function: Function) -> int:
    return min(function.timeout_s, _WORK_S.get(message, function.timeout_s))
