"""Ten thousand callbacks and codes that nobody sane would send."""

import random
from functools import partial

from flask import Request
from werkzeug.test import EnvironBuilder

from shared.pages import COOKIE
from shared.usecases.sign_in.flows import state_of
from tests.doors.sign_in_probes import CANARY, is_refused
from tests.doors.sign_in_world import FORM, SignInWorld, back

ROUNDS, A_FLOW = 10_000, 1_000
_PIECES = [
    "%00", "%", "&", "=", ";", "+", "#", "?", "../", "%2e%2e", "<script>", "'\"", "\\", "\u0000", "\u202e", "%ff",
    "%25", "oauth_token", "oauth_verifier", "state", "pin", "[]", "A" * 300, "\r\nX: y", "0", "-1", "null", "{}",
]  # fmt: skip


def _noise(chance: random.Random) -> str:
    """Give a few pieces of nonsense with the canary among them."""
    pieces = [chance.choice(_PIECES) for _ in range(chance.randint(0, 6))]
    pieces.insert(chance.randint(0, len(pieces)), CANARY)
    return "".join(pieces)


def _change(text: str, chance: random.Random) -> str:
    """Give a text with one mistake: cut, doubled, turned round, or with nonsense in it."""
    at = chance.randrange(len(text))
    return chance.choice([text[:at], text + text, text[at:] + text[:at] + "x", text[:at] + _noise(chance) + text[at:]])


def _latin(text: str) -> str:
    """Give a text as a server hands over what came over the wire."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _odd(fields: str, cookie: str, chance: random.Random) -> tuple[str, str]:
    """Spoil the fields or the cookie of a good request."""
    match chance.randrange(4):
        case 0:
            return _noise(chance), chance.choice([cookie, _noise(chance)])
        case 1:
            return fields, _change(cookie, chance)
        case 2:
            name, _, value = fields.partition("&")
            return f"{name.partition('=')[0]}={_noise(chance)}&{value}", cookie
        case _:
            return f"{fields}&{fields}&{_noise(chance)}", cookie


def _request(fields: str, cookie: str, *, posted: bool) -> Request:
    """Make the request, byte for byte as it came."""
    if posted:
        body = fields.encode("utf-8", "surrogatepass")
        environ = EnvironBuilder(method="POST", path="/pin", data=body, content_type=FORM).get_environ()
    else:
        environ = EnvironBuilder(path="/callback").get_environ() | {"QUERY_STRING": _latin(fields)}
    return Request(environ | {"HTTP_COOKIE": _latin(f"{COOKIE}={cookie}")})


def test_ten_thousand_odd_callbacks_and_codes() -> None:
    """Whatever comes as callback, form or cookie is refused, not repeated, never a 5xx, and E*TRADE is not asked."""
    chance, seen = random.Random(11), set()
    for _ in range(ROUNDS // A_FLOW):
        world = SignInWorld()
        cookie, request_token, verifier = world.begin()
        query = back(request_token, verifier).partition("?")[2]
        form = f"state={state_of(request_token)}&pin={verifier}"
        for number in range(A_FLOW):
            posted = number % 2 == 0
            odd = _request(*_odd(form if posted else query, cookie, chance), posted=posted)
            answer = world.kernel.call(partial(world.pages, odd), name="browser")
            assert is_refused(answer), odd
            assert CANARY not in answer.get_data(as_text=True) + str(answer.headers)
            seen.add(answer.status_code)
        assert world.etrade.calls["access_token"] == 0
        assert world.get(back(request_token, verifier), cookie).status_code == 200
    assert seen == {400}
