"""The stated timing model: every time between a decision and its effect, and where the graph has it.

A back-test and the live system decide alike; when things happen is not the decision's. So that both can be compared to
the second, both run in one model, whose times are the constants of `Timing`: those of the graph's own code, and for
what no code decides (the way of a message, the broker's work) those of `infra.one_machine.stated`, with which the graph
runs, too. Real times vary around them; `strategy day` with the usual network shows what that changes.
"""

from datetime import timedelta
from typing import Final

from infra.one_machine.stated import STATED
from shared.domain.orders.watches import EXIT_LIFE
from shared.frozen import frozen
from shared.usecases.base import leases, listing
from shared.usecases.orders import cancel, losses
from shared.usecases.scanning import scan
from shared.usecases.settling import protect, settle


@frozen
class Timing:
    """The times of a played day.

    What the graph's bus and broker take, `infra.one_machine.stated`: `signal` and `exit` from the scan to the order
    function, `order_placed` and `settle_tick` to settlement, `fill_latency` from placing to working, `cancel_takes`. Of
    the scan: `first_look` is how late a session's first second is looked at, with the message of its minute; whoever
    scanned the minute before looks on until its second `hands_over` and then leaves its last quotes, as at each
    minute's end; what is held is read each `held_every` seconds (`usecases.scanning.scan`). Of the order function:
    `turn` is how often who waits for its turn asks (`door.Turnstile`), `confirm` how often a cancel is looked at,
    `confirm_within` at most (`usecases.orders.cancel`), `exit_life` how long a decision to sell may be begun
    (`domain.orders.watches`). Of settlement: `look_every`, `rest`, `lease`, `looking`, `works`, `last_look`,
    `late_fill` (`usecases.settling.settle`), `watch_every` (`usecases.base.leases`), `mark_life`
    (`usecases.orders.losses`), `bare` and `moves_again` (`usecases.settling.protect`); `list_life` of an order list
    that serves again (`usecases.base.listing`).
    """

    signal: timedelta = STATED.signal
    exit: timedelta = STATED.exit
    order_placed: timedelta = STATED.order_placed
    settle_tick: timedelta = STATED.settle_tick
    fill_latency: timedelta = STATED.fill_latency
    cancel_takes: timedelta = STATED.cancel_takes
    first_look: timedelta = STATED.scan_tick
    hands_over: int = 1
    held_every: int = scan.HELD_EVERY
    turn: timedelta = timedelta(milliseconds=50)
    confirm: timedelta = cancel.LOOK_EVERY
    confirm_within: timedelta = cancel.CONFIRM_WITHIN
    exit_life: timedelta = EXIT_LIFE
    look_every: timedelta = settle.LOOK_EVERY
    rest: timedelta = settle.REST
    lease: timedelta = settle.LEASE
    looking: timedelta = settle.LOOKING
    works: timedelta = settle.WORK_AT_MOST
    last_look: timedelta = settle.LAST_LOOK
    late_fill: timedelta = settle.LATE_FILL
    watch_every: timedelta = leases.WATCH_EVERY
    mark_life: timedelta = losses.MARK_LIFE
    bare: timedelta = protect.BARE_AT_MOST
    moves_again: timedelta = protect.MOVES_AGAIN
    list_life: timedelta = listing.RECENT


TIMES: Final = Timing()
"""The model in which the fast path equals the graph (tests/backtest/test_equality.py)."""
