"""Each failure that E*TRADE has been seen to send, and the error that it becomes."""

from datetime import timedelta

import pytest

from shared.errors import (
    AuthError,
    DeskError,
    KeyRefused,
    Refused,
    Throttled,
    TokenDead,
    TokenIdle,
    Unreadable,
)
from shared.etrade.faults import ServerFailure, Unavailable, clean, error, fault
from shared.etrade.session import Answer
from tests.etrade import samples
from tests.etrade.world import START, error_reply

UNAUTHORIZED = b"<Error><message>Unauthorized request - invalid Consumer key and/or session token</message></Error>"


def failure(status: int, body: bytes, *, dies_in_s: int | None = 3600) -> DeskError:
    dies_at = None if dies_in_s is None else START + timedelta(seconds=dies_in_s)
    return error(fault(Answer(status, body)), endpoint="quotes", token_dies_at=dies_at, now=START)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, samples.oauth_html("token_rejected"), TokenDead),
        (401, samples.oauth_xml("token_rejected"), TokenDead),
        (401, samples.oauth_xml("token_revoked"), TokenDead),
        (401, samples.oauth_html("consumer_key_rejected"), KeyRefused),
        (401, samples.oauth_html("consumer_key_unknown"), KeyRefused),
        (401, samples.oauth_html("signature_invalid"), KeyRefused),
        (401, samples.oauth_html("nonce_used"), Unavailable),
        (401, samples.oauth_html("timestamp_refused,oauth_acceptable_timestamps=1-2"), Unavailable),
        (400, samples.oauth_html("parameter_absent,oauth_parameters_absent=oauth_nonce"), Unavailable),
        (400, samples.oauth_html("callback_rejected,oauth_acceptable_callback=oob"), Refused),
        (401, UNAUTHORIZED, TokenDead),
        (403, b"<html>Forbidden</html>", AuthError),
        (400, samples.RATE_HTML, Throttled),
        (*error_reply(None, "Number of requests exceeded the rate limit set"), Throttled),
        (429, b"", Throttled),
        (*error_reply(102, "Please enter valid Account Key"), Refused),
        (400, b"<html>Bad Request</html>", Refused),
        (404, b"", Refused),
        (405, b"<Error><code>9999</code><message>no</message></Error>", Refused),
        (408, b"", Unavailable),
        (409, b"", Unavailable),
        (*error_reply(100, samples.NOT_AVAILABLE, 500), ServerFailure),
        (502, b"<html>Bad Gateway</html>", ServerFailure),
        (503, b"", ServerFailure),
        (302, b"", Unreadable),
        (201, b"{}", Unreadable),
    ],
)
def test_each_failure_has_its_error(status: int, body: bytes, kind: type[DeskError]) -> None:
    """Each failure of a read, in JSON, XML or HTML, becomes exactly the error that tells what to do."""
    assert type(failure(status, body)) is kind


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(("dies_in_s", "kind"), [(1, TokenIdle), (0, TokenDead), (-1, TokenDead), (None, TokenDead)])
def test_an_expired_token_sleeps_until_its_day_ends(status: int, dies_in_s: int | None, kind: type[DeskError]) -> None:
    """token_expired is TokenIdle strictly before the token's certain death, else TokenDead."""
    assert type(failure(status, samples.oauth_xml("token_expired"), dies_in_s=dies_in_s)) is kind


@pytest.mark.parametrize(
    "body",
    [
        b'{"Error":{"code":102,"message":"m"}}',
        b'{"error":{"Code":"102","Message":"m"}}',
        b"<Error><code>102</code><message>m</message></Error>",
        b"<Error>\n <code> 102 </code>\n</Error>",
    ],
)
def test_a_code_is_found_in_every_envelope(body: bytes) -> None:
    """The code of an error is read from JSON and from XML, as number and as text."""
    problem = failure(400, body)
    assert isinstance(problem, Refused)
    assert problem.code == 102


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("200|Your order was entered.", "Your order was entered."),
        ("  two\r\nlines\x00 ", "two lines"),
        ("account 00000001 has 25 shares at 132.31", "account ... has 25 shares at 132.31"),
        ("token invented%2Faccess%2Btoken%3D ends", "token ... ends"),
        ("x y " * 200, ("x y " * 200)[:300]),
        ("", ""),
    ],
)
def test_a_brokers_text_is_cleaned(text: str, shown: str) -> None:
    """A broker's text loses its prefix, its control characters and whatever could be an account or a key."""
    assert clean(text) == shown
