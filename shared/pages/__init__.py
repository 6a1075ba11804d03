"""The owner's pages: start, PIN form, callback, halt; sealed, and never repeating what they were given.

A stranger costs nothing here: what comes is read within a few seconds or not at all (`body`), its form is looked at
before its signature, and store, vault and outbox are touched behind a genuine link or cookie alone. Nothing happens on
a GET but the callback, which only counts with the cookie of its flow: a program that opens a link in
advance changes nothing. What is not expected gets one constant sentence, whatever was wrong with it; only who holds a
genuine link is told that a later sign-in or the time ended it.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from flask import Request, Response

from shared.domain.telling.wording import ETRADE, called
from shared.errors import DeskError
from shared.frozen import frozen
from shared.pages import look
from shared.pages.body import Slow, take
from shared.pages.halting import Halting
from shared.pages.refused import RefusalCount
from shared.ports import Severity
from shared.trace import serving
from shared.usecases.base.links import Link
from shared.usecases.base.outbox import drain
from shared.usecases.sign_in.authorize import Ending, Expired, NotPinned, Opened, Overtaken, Refused, SignIns, TooMany
from shared.usecases.sign_in.flows import AGAIN_LIFE, state_of
from shared.usecases.sign_in.obtain import Failed, OtherAccount, WrongCode

MAX_BYTES = 4096
MAX_FIELDS = 8
COOKIE = "__Host-sign-in"
REFUSED = "This sign-in cannot be used, and nothing was changed. Begin again with a new link, or with strategy login."
OVERTAKEN = (
    "Somebody has signed in since this link was made, and that ended the link. Nothing was changed. "
    "If it was not you, halt trading. To sign in again, ask for a new link."
)
EXPIRED = "This page has expired, and nothing was changed. Begin again, or ask for a new link."
LINK_EXPIRED = "This link has expired, and nothing was changed. Ask for a new one with strategy login."
WRONG_CODE = "The code was not accepted. Accept at E*TRADE again, and type the new code."
FAILED = "E*TRADE did not give a token for this code. Nothing was changed; begin again."
UNREACHABLE = "The sign-in does not work at the moment. Nothing was changed; try again in a minute."
TOO_MANY = "This link was used too often. Nothing was changed; ask for a new link with strategy login --link."
NOT_PINNED = (
    "No account is chosen for this system yet, and this page cannot choose one. Nothing was changed: run strategy "
    "login on your machine."
)
OTHER_ACCOUNT = (
    "This is not the account that this system trades. The sign-in was ended at E*TRADE, and nothing was changed. "
    "To trade another account, run strategy login --change-account."
)
SLOW = "Your answer did not arrive in time, and nothing was changed. Try again."
HALT_REFUSED = (
    "This link cannot be used, and nothing was halted. Take the link of a newer notice, or run strategy halt. "
    "In the app of E*TRADE you can cancel orders and sell."
)
NOT_ASKED = (
    "The halt could not be asked for, and nothing was changed. Try again now, or run strategy halt. "
    "In the app of E*TRADE you can cancel orders and sell."
)
NOTHING_HERE = "There is no such page."
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": look.POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FORGET = f"{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"


@frozen
class SignInPages:
    """Serves GET and POST /start, POST /again, POST /pin, a callback, GET and POST /halt, and GET /health.

    `callback_url` is the address that E*TRADE comes back to, empty when the owner types the code instead: then there is
    no callback; `name` tells the system from the owner's others, and `broker` is what the pages call the broker.
    """

    sign_ins: SignIns
    halting: Halting
    refusals: RefusalCount
    callback_url: str
    name: str
    broker: str = ETRADE

    def __call__(self, request: Request) -> Response:
        """Answer one request; what fails for a moment is a 503 with a sentence of ours."""
        answer = self._served(request)
        if self.broker != ETRADE:
            answer.set_data(called(answer.get_data(as_text=True), self.broker))
        return answer

    def _served(self, request: Request) -> Response:
        with serving(request.headers):
            try:
                self._take(request)
                return self._halt(request) if request.path.rstrip("/") == "/halt" else self._answer(request)
            except Slow:
                return _sealed(look.sentence_page("Too slow", SLOW), 408)
            except DeskError as problem:
                kind, detail = type(problem).__name__, problem.detail
                self.sign_ins.desk.journal.line("sign_in_stumbled", Severity.ERROR, kind=kind, detail=detail)
                return _sealed(look.sentence_page("Not signed in", UNREACHABLE, again=_again(request)), 503)

    def _take(self, request: Request) -> None:
        """Read what was sent, or no more than is needed to refuse it; raises Slow."""
        take(request, MAX_BYTES)

    def _answer(self, request: Request) -> Response:
        callback = urlsplit(self.callback_url).path
        path = request.path.rstrip("/")
        if self.callback_url and request.method == "GET" and path == callback.rstrip("/"):
            return self._callback(request)
        match request.method, path:
            case "GET" | "HEAD", "/start":
                return _sealed(look.start_page())
            case "POST", "/start":
                return self._start(_form(request))
            case "POST", "/again":
                return self._opened(self.sign_ins.again(_cookie(request)))
            case "POST", "/pin":
                form = _form(request)
                pin = form.get("pin", "").strip().upper()
                answer = self.sign_ins.finish(_cookie(request), form.get("state", ""), pin, typed=not self.callback_url)
                return self._ended(request, answer)
            case "GET" | "HEAD", "/health":
                return _sealed(look.sentence_page("Working", "The sign-in page answers.", mood="good"))
        return _sealed(look.sentence_page("Not found", NOTHING_HERE), 404)

    def _halt(self, request: Request) -> Response:
        """Show the page that confirms, or ask for the halt; what fails on the way is told as not halted."""
        if request.method in {"GET", "HEAD"}:
            return _sealed(look.halt_page(self.name))
        if request.method != "POST":
            return _sealed(look.sentence_page("Not found", NOTHING_HERE), 404)
        try:
            if self.halting.ask(_form(request).get("link", "")):
                return _sealed(look.halted_page(self.name))
        except DeskError as problem:
            kind, detail = type(problem).__name__, problem.detail
            self.halting.desk.journal.line("halt_not_asked", Severity.ERROR, kind=kind, detail=detail)
            return _sealed(look.sentence_page("Not halted", NOT_ASKED), 503)
        self.refusals.add("no genuine halt link")
        return _sealed(look.sentence_page("Not halted", HALT_REFUSED), 400)

    def _start(self, form: Mapping[str, str]) -> Response:
        link = self._link(form.get("link", ""))
        if link is None:
            return self._refused("no genuine link")
        if self.sign_ins.desk.clock.now() >= link.expires_at:
            return self._refused("an expired link", LINK_EXPIRED)
        drain(self.sign_ins.desk)
        self.refusals.write()
        return self._opened(self.sign_ins.start(link))

    def _link(self, text: str) -> Link | None:
        return self.sign_ins.key.genuine(text)

    def _callback(self, request: Request) -> Response:
        query = _fields(request.query_string)
        state = state_of(query.get("oauth_token", ""))
        answer = self.sign_ins.finish(_cookie(request), state, query.get("oauth_verifier", ""))
        return self._ended(request, answer)

    def _opened(self, answer: Opened | Refused | Overtaken | TooMany | NotPinned, *, said: str = "") -> Response:
        """Lead the owner to E*TRADE; what is `said` before that is why they are here again."""
        match answer:
            case Refused():
                return self._refused(answer.why)
            case Overtaken():
                return self._overtaken()
            case NotPinned():
                self.sign_ins.desk.journal.line("no_account_pinned", Severity.WARNING)
                return _sealed(look.sentence_page("Not signed in", NOT_PINNED), 409)
            case TooMany():
                self.sign_ins.desk.journal.line("sign_in_too_often", Severity.WARNING)
                return _sealed(look.sentence_page("Not signed in", TOO_MANY), 429)
        typed = look.pin_page(answer.url, answer.state, said=said)
        page = look.onward_page(answer.url) if self.callback_url else typed
        age = int(AGAIN_LIFE.total_seconds())
        cookie = f"{COOKIE}={answer.cookie}; Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Lax"
        return _sealed(page, 400 if said else 200, cookie=cookie)

    def _ended(self, request: Request, answer: Ending) -> Response:
        match answer:
            case Refused():
                return self._refused(answer.why, again=_again(request))
            case Overtaken():
                return self._overtaken()
            case Expired():
                return _sealed(look.sentence_page("Not signed in", EXPIRED, again=True), 400)
            case WrongCode():
                return self._opened(self.sign_ins.again(_cookie(request)), said=WRONG_CODE)
            case OtherAccount():
                return _sealed(look.sentence_page("Not signed in", OTHER_ACCOUNT), 403)
            case Failed():
                return _sealed(look.sentence_page("Not signed in", FAILED, again=True), 400)
        return _sealed(look.done_page("midnight in New York"), cookie=_FORGET)

    def _overtaken(self) -> Response:
        return self._refused("a link from before the last sign-in", OVERTAKEN)

    def _refused(self, why: str, sentence: str = REFUSED, *, again: bool = False) -> Response:
        self.refusals.add(why)
        return _sealed(look.sentence_page("Not signed in", sentence, again=again), 400)


def _cookie(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def _again(request: Request) -> bool:
    """Tell whether the button to begin again is worth showing: this browser has a cookie of ours."""
    return bool(_cookie(request))


def _form(request: Request) -> dict[str, str]:
    """Read a small form; anything else has no fields, for `take` read nothing of it."""
    return _fields(request.get_data())


def _fields(raw: bytes) -> dict[str, str]:
    """Read fields that come once each; what is too long, too many or no text has none."""
    if len(raw) > MAX_BYTES:
        return {}
    try:
        found = parse_qs(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _sealed(page: str, status: int = 200, *, cookie: str = "") -> Response:
    response = Response(page, status=status, mimetype="text/html")
    response.headers.update(HEADERS)
    if cookie:
        response.headers["Set-Cookie"] = cookie
    return response
