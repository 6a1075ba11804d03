"""A refused token leads to one renewal and one more reading, and never to a second order."""

from datetime import datetime

import pytest

from shared.domain.broker.outcomes import UnknownOutcome
from shared.errors import TokenDead, TokenIdle
from tests.etrade import samples
from tests.etrade.test_build import TICKET
from tests.etrade.world import ACCOUNT_KEY, DEADLINE, START, Reply, json_reply, world

IDLE: Reply = (401, b"<Error><code>0</code><message>oauth_problem=token_expired</message></Error>")
DEAD: Reply = (401, b"<Error><code>0</code><message>oauth_problem=token_rejected</message></Error>")


class Mending:
    """Looks after a token, or cannot, and keeps when it was asked."""

    def __init__(self, *, works: bool) -> None:
        self.works = works
        self.asked: list[datetime] = []

    def __call__(self, asked_at: datetime) -> bool:
        """Say whether it works."""
        self.asked.append(asked_at)
        return self.works


@pytest.mark.parametrize("refusal", [IDLE, DEAD], ids=["idle", "dead"])
def test_a_reading_is_asked_once_more_with_a_mended_token(refusal: Reply) -> None:
    """A reading that was refused for its token is asked again after one renewal, from the instant it was asked."""
    mend, made = Mending(works=True), world(refusal, json_reply(samples.ACCOUNTS))
    assert made.broker(mend).accounts()
    assert (mend.asked, len(made.broker_side.requests)) == ([START], 2)


@pytest.mark.parametrize(("refusal", "error"), [(IDLE, TokenIdle), (DEAD, TokenDead)], ids=["idle", "dead"])
@pytest.mark.parametrize(("works", "requests"), [(True, 2), (False, 1)], ids=["mended", "not mended"])
def test_a_token_that_stays_refused_is_mended_once(
    refusal: Reply, error: type[Exception], works: bool, requests: int
) -> None:
    """When the second answer refuses the token, too, or it cannot be mended, the reading fails as it did."""
    mend, made = Mending(works=works), world(refusal)
    with pytest.raises(error):
        made.broker(mend).accounts()
    assert (len(mend.asked), len(made.broker_side.requests)) == (1, requests)


@pytest.mark.parametrize("refusal", [IDLE, DEAD], ids=["idle", "dead"])
def test_an_order_is_never_sent_again(refusal: Reply) -> None:
    """A place or cancel whose token was refused leaves once, and nothing is mended for it."""
    mend, made = Mending(works=True), world(refusal)
    made.broker(mend).place(ACCOUNT_KEY, TICKET, (1,), deadline=DEADLINE)
    assert len(made.broker_side.requests) == 1
    assert isinstance(made.broker(mend).cancel(ACCOUNT_KEY, 1), UnknownOutcome)
    assert len(made.broker_side.requests) == 2
    assert mend.asked == []
