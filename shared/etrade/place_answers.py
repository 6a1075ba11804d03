"""What the answer to a place means. The table is the safety rule; the code below only looks it up.

What can go wrong: an answer is taken for "no such order" while the order exists. Then its reservation is
released and the same shares are bought again. So REJECTED needs a row here, and every answer without a row is
UNKNOWN: only a complete order list may tell (order-safety.md, finding 3 and 1.6). Rows are tried from the
top; the first that fits decides. The doubtful texts stand first, so no code can overrule them:

* "timed out your original order request" came with orders that existed, under codes 101 and 1033.
* "currently processing your previous request", "not currently available" and a used nonce all may mean that
  an earlier copy of this very request got through, for instance one that a proxy sent twice.
* The documents say that a throttled call was not processed; which server says so, and whether another one had the
  order by then, they do not.
* Of the codes, only those whose refusal was seen and can have no order behind it are listed. 101, 900, 1033
  and 1042 are not: a preview id that is used up, or a possible double, is what the second copy of an accepted
  order looks like.
"""

import re
from datetime import datetime

from shared.domain.broker.outcomes import Accepted, PlaceAnswer, Rejected, UnknownOutcome
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.faults import fault
from shared.etrade.session import Answer
from shared.frozen import frozen

# Order module, status 400, etrade-api.md 4.14: 33 cannot be sold short; 100 and 102 not an account of this
# user; 1021 and 3010 not enough funds; 1037 not enough shares.
REFUSALS = frozenset({33, 100, 102, 1021, 1037, 3010})

_ANY = frozenset(range(1000))
_ERRORS = ("error", "errors")


@frozen
class Row:
    """One line of the table: an answer fits when all given conditions hold. `verdict` None is UNKNOWN."""

    name: str
    statuses: frozenset[int]
    text: str | None = None
    codes: frozenset[int] | None = None
    verdict: str | None


ROWS = (
    Row(name="nonce", statuses=_ANY, text=r"oauth_problem=nonce_used", verdict=None),
    Row(name="timed out", statuses=_ANY, text=r"timed\s*out", verdict=None),
    Row(name="in progress", statuses=_ANY, text=r"processing\s+your\s+previous\s+request", verdict=None),
    Row(name="rate", statuses=_ANY, text=r"exceeded\s+the\s+rate\s+limit", verdict=None),
    Row(name="unavailable", statuses=_ANY, text=r"not\s+currently\s+available", verdict=None),
    Row(name="oauth", statuses=frozenset({400, 401, 403}), text=r"oauth_problem=[a-z_]+", verdict="auth"),
    Row(name="auth", statuses=frozenset({401, 403}), verdict="auth"),
    Row(name="business", statuses=frozenset({400}), codes=REFUSALS, verdict="{code}"),
    Row(name="bug", statuses=frozenset({404, 405, 415}), verdict="bug-{status}"),
)


def judge(answer: Answer, *, received_at: datetime) -> PlaceAnswer:
    """Give the meaning of whatever came back from a place; never raises.

    `received_at` stands in for a time of placing that the broker left out.
    """
    if answer.status == 200:
        return _accepted(answer, received_at)
    failed = fault(answer)
    row = _row(answer, failed.code)
    if row is None or row.verdict is None:
        reason = row.name if row else "not listed"
        why = f"status {answer.status}, code {failed.code or 'none'}: {reason}"
        return UnknownOutcome(why=why, code=None if failed.code is None else str(failed.code))
    # Only a business refusal is told in the broker's words; other pages may echo anything.
    message = row.name if row.codes is None else failed.message
    return Rejected(code=row.verdict.format(code=failed.code, status=answer.status), message=message)


def order_id(answer: Answer) -> int | None:
    """Give the one order id of a success, or None when the body does not name exactly one."""
    try:
        return _order(answer)[0]
    except Unreadable:
        return None


def _row(answer: Answer, code: int | None) -> Row | None:
    body = answer.body.decode("utf-8", "replace")
    for row in ROWS:
        fits = answer.status in row.statuses
        fits = fits and (row.text is None or re.search(row.text, body, re.IGNORECASE) is not None)
        if fits and (row.codes is None or code in row.codes):
            return row
    return None


def _accepted(answer: Answer, received_at: datetime) -> PlaceAnswer:
    try:
        found, placed_at = _order(answer)
    except Unreadable as problem:
        return UnknownOutcome(why=f"status 200 without an order id: {problem.detail}")
    return Accepted(order_id=found, at=placed_at or received_at)


def _order(answer: Answer) -> tuple[int, datetime | None]:
    body = reading.tree(answer.body, "place")
    if "error" in body:
        raise Unreadable("an error beside the answer")
    node = reading.child(body, "placeorderresponse")
    if any(name in part for part in [node, *reading.children(node, "order")] for name in _ERRORS):
        raise Unreadable("an error in the answer")
    # Production was seen to name the id beside the list or in its place (etrade-api.md 4.6): all places must agree.
    places = [*reading.children(node, "orderids"), *(part for part in [node] if part.get("orderid") is not None)]
    ids = {reading.need(reading.whole(place, "orderid"), "orderId") for place in places}
    if len(ids) != 1 or min(ids) <= 0:
        raise Unreadable("not exactly one order id")
    return ids.pop(), reading.milliseconds(node, "placedtime")
