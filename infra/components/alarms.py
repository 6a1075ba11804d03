"""What wakes a person, as a table: the lines of the functions' journal, and the figures that Google measures itself.

An alert on a metric that was made by us is refused for minutes in a new project, so there is none: lines are matched
as they are written, everything else is a metric of Google's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

CRITICAL, ERROR = "CRITICAL", "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alert on journal lines: the events that ring it, and what the person who is woken should know.

    `every_s` are the seconds between two mails about it, however many lines there are.
    """

    name: str
    title: str
    severity: str
    events: tuple[str, ...]
    told: str
    every_s: int = 300


ALARMS = (
    Alarm(
        name="dead-letters", title="A message could not be taken, or you could not be told", severity=ERROR,
        events=(
            "dead_letter", "lease_unreadable", "outbox_row_refused", "outbox_row_unreadable", "unreadable_document",
            "books_unreadable", "receipt_unreadable", "notice_not_delivered",
            "close_too_early",
        ),
        told="A message or a document cannot be read and was set aside, which nothing repeats by itself:"
        " `strategy dead-letters --profile cloud` lists them, and the line names the document. Or a notice reached none"
        " of your addresses: the line has its text.",
    ),
    Alarm(
        name="orders-in-doubt", title="An order or a position needs to be looked at", severity=CRITICAL,
        events=(
            "order_unknown", "order_manual", "late_acceptance", "shares_missing", "foreign_order",
            "exit_ended_unfilled", "unprotected", "position_unprotected", "exit_unseen",
            "cancel_unconfirmed", "sell_refused", "answer_unread", "stays_held",
        ),
        told="An order was sent and nobody knows what became of it, the account holds something else than the books, or"
        " shares are held without a stop at the broker."
        " Unknown orders are never sent again and are looked for each minute; compare with the broker's own list.",
    ),
    Alarm(
        name="sign-in", title="The token is not alive", severity=ERROR,
        events=(
            "sign_in_needed", "sign_in_failed", "sign_in_stumbled", "halt_not_asked", "token_gone",
            "token_not_destroyed", "scan_stopped", "key_not_read",
        ),
        told="Without a token nothing is traded and stops cannot be moved. Open the sign-in page and sign in.",
        every_s=3600,
    ),
    Alarm(
        name="setting-up", title="A secret or the account is missing or wrong", severity=CRITICAL,
        events=("cannot_work", "cannot_start", "account_refused"),
        told="A function lacks something that only you can put right: a secret that is not set yet, settings or an"
        " account that cannot be used. The line names it. Nothing is traded; messages come again for a while.",
        every_s=3600,
    ),
    Alarm(
        name="trading-state", title="Trading was restricted", severity=CRITICAL,
        events=("trading_state", "not_halted"),
        told="The daily loss, the drawdown or a broken rule restricted trading, or a restriction could not be written."
        " Nothing resumes by itself.",
    ),
    Alarm(
        name="broken", title="Something that must never happen has happened", severity=CRITICAL,
        events=(
            "crash", "invariant_broken", "undeclared_access", "forged_signal", "order_forged", "scan_silent",
            "scan_blind",
        ),
        told="A function met its own bug, an access that the topology does not give, or a forged message, or the market"
        " was not looked at for minutes, or no quote of it could be used. The line names the kind.",
    ),
)  # fmt: skip

SERVICE_ERRORS = (
    'resource.type = "cloud_run_revision" AND metric.type = "run.googleapis.com/request_count"'
    ' AND metric.labels.response_code_class = "5xx"'
)
GIVEN_UP = (
    'resource.type = "pubsub_subscription"'
    ' AND metric.type = "pubsub.googleapis.com/subscription/dead_letter_message_count"'
)
SIGN_IN_DOWN = (
    'resource.type = "uptime_url" AND metric.type = "monitoring.googleapis.com/uptime_check/check_passed"'
    ' AND resource.labels.host = "{host}"'
)


def lines(alarm: Alarm) -> str:
    """Write the filter that finds the lines of an alarm."""
    events = " OR ".join(f'"{event}"' for event in alarm.events)
    return f'resource.type = "cloud_run_revision" AND jsonPayload.event = ({events})'


def silence(services: Sequence[str]) -> str:
    """Write the query that finds no request taken by one of the services that the clock calls each minute.

    A request that was refused or failed is no sign of life. It looks at weekdays between 15:00 and 20:00 UTC, which are
    inside 9:00 to 16:00 in New York in summer and winter alike; the ticks come on holidays too. Half an hour of silence
    is one that no restart explains.
    """
    silent = " or ".join(f"(({_requests(one)} or vector(0)) < 1)" for one in services)
    at_work = "(day_of_week() >= 1 and day_of_week() <= 5 and hour() >= 15 and hour() < 20)"
    return f"({silent}) and on() {at_work}"


def _requests(service: str) -> str:
    where = f'monitored_resource="cloud_run_revision",service_name="{service}",response_code_class="2xx"'
    return f"sum(increase(run_googleapis_com:request_count{{{where}}}[30m]))"
