"""The OAuth side: addresses, decoding once, and a verifier that counts once."""

from urllib.parse import parse_qs, urlsplit

import pytest
from requests.exceptions import ConnectTimeout, ReadTimeout

from shared.domain.broker.tokens import AccessToken, RequestToken
from shared.errors import DeskError, KeyRefused, NotSent, OutcomeUnknown, Refused, TokenDead, Unreadable
from shared.etrade.faults import ServerFailure
from shared.ports import Authority
from tests.etrade import samples
from tests.etrade.world import Reply, world

FORM = b"oauth_token=%2Finvented%2Btoken%3D&oauth_token_secret=%2Finvented%2Bsecret%3D&oauth_callback_confirmed=true"
REQUEST = RequestToken(token="/invented+token=", secret="/invented+secret=")


def test_a_request_token_is_decoded_once() -> None:
    """A sign-in begins out of band at the production host, and its token is decoded exactly once."""
    made = world((200, FORM))
    made.sandbox = True
    authority: Authority = made.authority()
    assert authority.request_token() == REQUEST
    assert made.broker_side.urls == ["https://api.etrade.com/oauth/request_token"]
    header = made.broker_side.requests[0].headers["Authorization"]
    assert 'oauth_callback="oob"' in header
    assert "oauth_token=" not in header


def test_the_authorize_page_gets_the_token_encoded() -> None:
    """The token's plus, slash and equals sign survive the address of the authorize page."""
    url = world((200, b"")).authority().authorize_url(REQUEST.token)
    assert url.startswith("https://us.etrade.com/e/t/etws/authorize?key=")
    assert parse_qs(urlsplit(url).query)["token"] == [REQUEST.token]


def test_a_verifier_becomes_an_access_token() -> None:
    """The exchange is signed with the request token and the verifier and gives the access token."""
    made = world((200, FORM))
    assert made.authority().access_token(REQUEST, "INVNT9") == AccessToken(token=REQUEST.token, secret=REQUEST.secret)
    header = made.broker_side.requests[0].headers["Authorization"]
    assert 'oauth_verifier="INVNT9"' in header
    assert 'oauth_token="%2Finvented%2Btoken%3D"' in header


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (ConnectTimeout(), NotSent),
        (ReadTimeout(), OutcomeUnknown),
        ((500, b""), OutcomeUnknown),
        ((200, b"garbled"), OutcomeUnknown),
        ((401, samples.oauth_html("token_rejected")), TokenDead),
        ((401, samples.oauth_html("token_expired")), TokenDead),
        ((401, samples.oauth_html("consumer_key_rejected")), KeyRefused),
    ],
)
def test_a_verifier_is_never_tried_twice(reply: Reply, kind: type[DeskError]) -> None:
    """The exchange of a verifier is sent once, and a silence about it is OutcomeUnknown."""
    made = world(reply)
    with pytest.raises(DeskError) as caught:
        made.authority().access_token(REQUEST, "INVNT9")
    assert type(caught.value) is kind
    assert len(made.broker_side.requests) == 1


@pytest.mark.parametrize(
    "body", [b"", b"oauth_token=a", b"oauth_token=a&oauth_token_secret=", b"\xff", FORM + b"&oauth_token=b"]
)
def test_half_a_token_is_unreadable(body: bytes) -> None:
    """An answer without exactly one token and one secret is no token."""
    with pytest.raises(Unreadable):
        world((200, body)).authority().request_token()


def test_a_callback_is_never_sent() -> None:
    """A refused callback is a refusal and is not tried again."""
    made = world((400, samples.oauth_html("callback_rejected,oauth_acceptable_callback=oob")))
    with pytest.raises(Refused):
        made.authority().request_token()
    assert len(made.broker_side.requests) == 1


def test_a_renewal_is_repeated_and_read_loosely() -> None:
    """A renewal survives a time-out and a server failure, and any 200 is a success."""
    made = world(ReadTimeout(), (503, b""), (200, b"Access Token has been renewed"))
    made.authority().renew()
    assert made.broker_side.urls == ["https://api.etrade.com/oauth/renew_access_token"] * 3
    assert [line["endpoint"] for line in made.journal.lines] == ["renew"] * 3


def test_a_token_that_cannot_be_woken_is_dead() -> None:
    """A renewal that is told token_expired means that the token died, whatever our calendar says."""
    with pytest.raises(TokenDead):
        world((401, samples.oauth_html("token_expired"))).authority().renew()


def test_a_renewal_gives_up_after_three_attempts() -> None:
    """A renewal that fails three times fails as the server failure that it is."""
    made = world((503, b""))
    with pytest.raises(ServerFailure):
        made.authority().renew()
    assert len(made.broker_side.requests) == 3


@pytest.mark.parametrize("reply", [(200, b"Revoked Access Token"), (401, samples.oauth_html("token_rejected"))])
def test_revoking_twice_is_no_error(reply: Reply) -> None:
    """Revoking ends the token, and one that is dead already is no error."""
    made = world(reply)
    made.authority().revoke()
    assert made.broker_side.urls == ["https://api.etrade.com/oauth/revoke_access_token"]
    assert [line["endpoint"] for line in made.journal.lines] == ["revoke"]


def test_a_token_that_could_not_be_kept_is_revoked_itself() -> None:
    """Given a token, revoking ends that one and not the one that counts."""
    made = world((200, b"Revoked Access Token"))
    made.authority().revoke(AccessToken(token="another", secret="half"))
    header = made.broker_side.requests[0].headers["Authorization"]
    assert 'oauth_token="another"' in header
