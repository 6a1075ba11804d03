"""Case token request by POST: a client that posts to the OAuth paths is answered as one that gets.

Against the simulator alone: our own client gets. Members of the kind: each of the four paths, and a verb that E*TRADE
does not take.
"""

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from requests import Response
from requests_oauthlib import OAuth1Session

from tests.infra.brokersim.test_oauth import page_of
from tests.infra.brokersim.world import URL, World, requests_in, verifier_in, world

Verb = Callable[[OAuth1Session, str], Response]
VERBS: dict[str, Verb] = {
    "GET": lambda session, path: session.get(f"{URL}{path}"),
    "POST": lambda session, path: session.post(f"{URL}{path}"),
}


def signed_in(one: World, verb: Verb) -> OAuth1Session:
    """Sign in with this verb for both tokens, as a person does between them."""
    first = verb(one.session(callback_uri="oob"), "/oauth/request_token")
    assert first.status_code == 200, first.text
    token = dict(parse_qsl(first.text))
    verifier = verifier_in(requests_in(one.simulator).get(page_of(token)).text)
    keys = {"resource_owner_key": token["oauth_token"], "resource_owner_secret": token["oauth_token_secret"]}
    second = verb(one.session(**keys, verifier=verifier), "/oauth/access_token")
    assert second.status_code == 200, second.text
    access = dict(parse_qsl(second.text))
    return one.session(resource_owner_key=access["oauth_token"], resource_owner_secret=access["oauth_token_secret"])


@pytest.mark.parametrize("verb", VERBS)
def test_all_four_oauth_paths_take_both_verbs(verb: str) -> None:
    """Request, access, renewal and revocation go with GET and with POST, and what they give works and ends alike."""
    one = world(logged_in=False)
    api = signed_in(one, VERBS[verb])
    assert api.get(f"{URL}/v1/accounts/list.json").status_code == 200
    assert VERBS[verb](api, "/oauth/renew_access_token").status_code == 200
    one.clock.forward(2)
    assert VERBS[verb](api, "/oauth/revoke_access_token").status_code == 200
    one.clock.forward(2)
    assert api.get(f"{URL}/v1/accounts/list.json").status_code == 401


@pytest.mark.parametrize("path", ["request_token", "access_token", "renew_access_token", "revoke_access_token"])
def test_other_verbs_are_refused_as_before(path: str) -> None:
    """A verb that E*TRADE does not take is a 405, as a POST once was."""
    assert world().api.put(f"{URL}/oauth/{path}").status_code == 405
