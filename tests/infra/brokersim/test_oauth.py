"""Signing in, staying signed in and being refused, with a real signing client (fact sheet, section 1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from oauthlib.oauth1 import SIGNATURE_TYPE_QUERY
from requests import Request

from infra.brokersim.simulator import CASH_ACCOUNT_KEY
from tests.infra.brokersim.world import (
    CONSUMER_KEY,
    NOON,
    URL,
    World,
    log_in,
    order_body,
    requests_in,
    session_for,
    verifier_in,
    world,
)

LIST = f"{URL}/v1/accounts/list.json"


def request_token(one: World) -> dict[str, str]:
    return dict(parse_qsl(one.session(callback_uri="oob").get(f"{URL}/oauth/request_token").text))


def page_of(token: dict[str, str]) -> str:
    return f"{URL}/e/t/etws/authorize?key={CONSUMER_KEY}&token={quote(token['oauth_token'], safe='')}"


def exchange(one: World, token: dict[str, str], verifier: str) -> tuple[int, str]:
    session = one.session(
        resource_owner_key=token["oauth_token"],
        resource_owner_secret=token["oauth_token_secret"],
        verifier=verifier,
    )
    answer = session.get(f"{URL}/oauth/access_token")
    return answer.status_code, answer.text


def problem_of(text: str) -> str:
    found = re.search(r"oauth_problem=([a-z_]+)", text)
    return found[1] if found else text


def test_signing_in_through_the_page_opens_the_api() -> None:
    """Signing in through the page opens the api."""
    assert world().api.get(LIST).status_code == 200


def test_tokens_carry_the_characters_that_must_be_encoded() -> None:
    """Tokens carry the characters that must be encoded."""
    token = request_token(world(logged_in=False))
    for text in (token["oauth_token"], token["oauth_token_secret"]):
        assert "+" in text
        assert "/" in text
        assert text.endswith("=")
    assert token["oauth_callback_confirmed"] == "true"


def test_a_callback_other_than_oob_is_refused() -> None:
    """A callback other than "oob" is refused."""
    answer = world(logged_in=False).session(callback_uri="https://example.org/cb").get(f"{URL}/oauth/request_token")
    assert answer.status_code == 400
    assert "oauth_problem=callback_rejected,oauth_acceptable_callback=oob" in answer.text


def test_a_person_accepts_on_the_page_and_gets_a_verifier() -> None:
    """A person accepts on the page and gets a verifier."""
    one = world(logged_in=False, auto_approve=False)
    token = request_token(one)
    browser = requests_in(one.simulator)
    asked = browser.get(page_of(token)).text
    assert "Accept" in asked
    assert "Decline" in asked
    assert "simulator" in asked
    assert 'id="verifier"' not in asked
    form = {"key": CONSUMER_KEY, "token": token["oauth_token"], "answer": "accept"}
    verifier = verifier_in(browser.post(f"{URL}/e/t/etws/authorize", data=form).text)
    assert re.fullmatch(r"[A-Z0-9]{5,7}", verifier)
    assert exchange(one, token, verifier)[0] == 200


def test_a_person_who_declines_ends_the_request_token() -> None:
    """A person who declines ends the request token."""
    one = world(logged_in=False, auto_approve=False)
    token = request_token(one)
    form = {"key": CONSUMER_KEY, "token": token["oauth_token"], "answer": "decline"}
    assert "Declined" in requests_in(one.simulator).post(f"{URL}/e/t/etws/authorize", data=form).text
    assert problem_of(exchange(one, token, "ABCDE")[1]) == "token_rejected"


def test_a_token_pasted_without_encoding_gets_the_logon_delay_page() -> None:
    """A token pasted without encoding gets the logon delay page."""
    one = world(logged_in=False)
    token = request_token(one)
    answer = requests_in(one.simulator).get(f"{URL}/e/t/etws/authorize?key={CONSUMER_KEY}&token={token['oauth_token']}")
    assert "Due to a logon delay or other issue" in answer.text


def test_request_token_and_verifier_work_once() -> None:
    """Request token and verifier work once."""
    one = world(logged_in=False)
    token = request_token(one)
    verifier = verifier_in(requests_in(one.simulator).get(page_of(token)).text)
    assert exchange(one, token, "WRONG")[0] == 401
    assert exchange(one, token, verifier)[0] == 200
    status, text = exchange(one, token, verifier)
    assert (status, problem_of(text)) == (401, "token_rejected")
    assert text.startswith("<!doctype html>")


def test_a_request_token_dies_after_five_minutes() -> None:
    """A request token dies after five minutes."""
    one = world(logged_in=False)
    token = request_token(one)
    verifier = verifier_in(requests_in(one.simulator).get(page_of(token)).text)
    one.clock.forward(301)
    assert problem_of(exchange(one, token, verifier)[1]) == "token_rejected"
    assert "logon delay" in requests_in(one.simulator).get(page_of(token)).text


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"client_key": "another-key"}, "consumer_key_rejected"),
        ({"client_secret": "another-secret"}, "signature_invalid"),
        ({"resource_owner_key": "unknown"}, "token_rejected"),
    ],
)
def test_wrong_keys_are_refused_below_v1_as_xml(keys: dict[str, str], problem: str) -> None:
    """Wrong keys are refused below v1 as xml."""
    one = world()
    known = one.api.auth.client
    tokens = {
        "resource_owner_key": known.resource_owner_key,
        "resource_owner_secret": known.resource_owner_secret,
    }
    answer = one.session(**{**tokens, **keys}).get(LIST)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert f"<Error><code>0</code><message>oauth_problem={problem}</message></Error>" in answer.text


def test_an_unsigned_call_is_unauthorized_without_a_code() -> None:
    """An unsigned call is unauthorized without a code."""
    answer = requests_in(world().simulator).get(LIST)
    assert answer.status_code == 401
    text = "Unauthorized request - invalid Consumer key and/or session token"
    assert f"<Error><message>{text}</message></Error>" in answer.text


def test_a_clock_more_than_five_minutes_off_is_refused() -> None:
    """A clock more than five minutes off is refused."""
    one = world()
    signed_at = one.clock.at
    one.clock.forward(299)
    request = one.api.prepare_request(Request("GET", LIST))
    one.clock.at = signed_at - timedelta(seconds=2)
    assert one.api.send(request).status_code == 401
    one.clock.at = signed_at
    assert one.api.send(request).status_code == 200


def test_a_repeated_nonce_is_refused() -> None:
    """A repeated nonce is refused."""
    one = world()
    request = one.api.prepare_request(Request("GET", LIST))
    assert one.api.send(request).status_code == 200
    assert problem_of(one.api.send(request).text) == "nonce_used"


def test_a_parameter_that_is_missing_is_named() -> None:
    """A parameter that is missing is named."""
    one = world()
    request = one.api.prepare_request(Request("GET", LIST))
    signed: Any = request.headers["Authorization"]  # oauthlib signs into bytes
    header = signed.decode()
    request.headers["Authorization"] = re.sub(r'oauth_nonce="\w+", ', "", header)
    assert "oauth_problem=parameter_absent,oauth_parameters_absent=oauth_nonce" in one.api.send(request).text


def test_the_query_is_part_of_the_signature() -> None:
    """The query is part of the signature."""
    one = world()
    request = one.api.prepare_request(Request("GET", f"{URL}/v1/market/quote/ZXAA.json?detailFlag=ALL"))
    request.url = request.url.replace("ALL", "INTRADAY") if request.url else ""
    assert problem_of(one.api.send(request).text) == "signature_invalid"


def test_an_access_token_dies_at_midnight_new_york_and_cannot_be_renewed() -> None:
    """An access token dies at midnight new york and cannot be renewed."""
    one = world(at=datetime(2013, 10, 8, 3, 0, tzinfo=UTC))
    one.clock.at = datetime(2013, 10, 8, 3, 59, 59, tzinfo=UTC)
    assert one.api.get(LIST).status_code == 200
    one.clock.forward(1)
    answer = one.api.get(LIST)
    assert (answer.status_code, problem_of(answer.text)) == (401, "token_expired")
    renewed = one.api.get(f"{URL}/oauth/renew_access_token")
    assert (renewed.status_code, problem_of(renewed.text)) == (401, "token_expired")
    assert log_in(one.simulator, one.clock).get(LIST).status_code == 200


def test_an_idle_token_sleeps_until_it_is_renewed() -> None:
    """An idle token sleeps until it is renewed."""
    one = world()
    one.clock.forward(7_200)
    assert one.api.get(LIST).status_code == 200
    one.clock.forward(7_201)
    assert problem_of(one.api.get(LIST).text) == "token_expired"
    renewed = one.api.get(f"{URL}/oauth/renew_access_token")
    assert (renewed.status_code, renewed.text) == (200, "Access Token has been renewed")
    assert one.api.get(LIST).status_code == 200


def test_a_revoked_token_is_gone() -> None:
    """A revoked token is gone."""
    one = world()
    assert one.api.get(f"{URL}/oauth/revoke_access_token").text == "Revoked Access Token"
    assert problem_of(one.api.get(LIST).text) == "token_rejected"
    assert problem_of(one.api.get(f"{URL}/oauth/renew_access_token").text) == "token_rejected"


def test_a_person_may_sign_with_the_time_on_the_wall() -> None:
    """A person may sign with the time on the wall."""
    one = world(logged_in=False)
    wall = type(one.clock)(NOON + timedelta(days=3_000))
    simulator = type(one.simulator)(
        market=one.simulator._broker._market,
        now=one.clock,
        settings=one.simulator._settings,
        seed=1,
        signing_clocks=(wall,),
    )
    assert log_in(simulator, wall).get(LIST).status_code == 200


def test_a_body_is_not_part_of_the_signature_and_its_call_is_counted_even_if_refused() -> None:
    """A body is not part of the signature and its call is counted even if refused."""
    one = world()
    url = f"{URL}/v1/accounts/{CASH_ACCOUNT_KEY}/orders/place.json"
    body = {"PlaceOrderRequest": {**order_body(), "PreviewIds": [{"previewId": 5}]}}
    assert session_for(one.simulator, one.clock).post(url, json=body).status_code == 401
    ledger = one.simulator.ledger()
    assert ledger["calls"]["place"] == 1
    assert [
        (asked["client_order_id"], asked["preview_id"], asked["outcome"]) for asked in ledger["place_requests"]
    ] == [("order1", 5, "unauthorized")]


def test_oauth_parameters_may_stand_in_the_query() -> None:
    """Oauth parameters may stand in the query."""
    one = world()
    known: Any = one.api.auth.client
    tokens = {
        "resource_owner_key": known.resource_owner_key,
        "resource_owner_secret": known.resource_owner_secret,
    }
    in_query = session_for(one.simulator, one.clock, **tokens, signature_type=SIGNATURE_TYPE_QUERY)
    assert in_query.get(f"{URL}/v1/market/quote/ZXAA.json?detailFlag=INTRADAY").status_code == 200
