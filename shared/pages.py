"""The sign-in pages: start, PIN form, callback; small, without scripts, and never repeating what they were given."""

from dataclasses import dataclass
from html import escape

from flask import Request, Response, jsonify

from shared.errors import DeskError
from shared.ports import Authority, Severity, Vault
from shared.trace import serving
from shared.usecases.authorize import Opened, SignedIn, finish_flow, flow_of, open_flow
from shared.usecases.desk import Desk
from shared.usecases.outbox import drain

MAX_QUERY = 2048
REFUSED = "This sign-in cannot be used. Start again from the link that you were sent; nothing was changed."
UNREACHABLE = "E*TRADE does not answer. Nothing was changed; try again in a minute."
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>
body{{font:1.05rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:34rem;padding:2rem 1.2rem;color:#16202c}}
h1{{font-size:1.4rem}} a.go,button{{display:inline-block;background:#4b2bd6;color:#fff;border:0;border-radius:.5rem;
padding:.8rem 1.2rem;font:inherit;text-decoration:none}} input{{font:inherit;padding:.7rem;width:9rem;
letter-spacing:.15em;text-transform:uppercase}} li{{margin:1rem 0}}
</style></head><body><h1>{title}</h1>{body}</body></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPages:
    """Serves GET /start, GET /callback, POST /pin and GET /health."""

    desk: Desk
    authority: Authority
    vault: Vault

    def __call__(self, request: Request) -> Response:
        """Answer one request; anything that is not expected gets one constant sentence."""
        with serving(request.headers):
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        if len(request.query_string) > MAX_QUERY:
            return _page("Not signed in", f"<p>{REFUSED}</p>", status=400)
        match request.method, request.path.rstrip("/"):
            case "GET", "/start":
                return self._start(wants_json=request.accept_mimetypes.best == "application/json")
            case "GET", "/callback":
                return self._finish(
                    flow_of(request.args.get("oauth_token", "")), request.args.get("oauth_verifier", "")
                )
            case "POST", "/pin":
                return self._finish(request.form.get("flow", ""), request.form.get("pin", "").strip().upper())
            case "GET", "/health":
                return _page("Well", "<p>The sign-in service answers.</p>")
        return _page("Not found", "<p>There is no such page.</p>", status=404)

    def _start(self, *, wants_json: bool) -> Response:
        try:
            drain(self.desk)
            opened = open_flow(self.desk, self.authority, self.vault)
        except DeskError as problem:
            kind = type(problem).__name__
            self.desk.journal.line("sign_in_failed", Severity.ERROR, kind=kind, detail=problem.detail)
            return _page("Not signed in", f"<p>{UNREACHABLE}</p>", status=503)
        if wants_json:
            return _sealed(jsonify({"authorize_url": opened.url, "flow": opened.flow}))
        return _page("Sign in to E*TRADE", _form(opened))

    def _finish(self, flow: str, verifier: str) -> Response:
        try:
            answer = finish_flow(self.desk, self.authority, self.vault, flow=flow, verifier=verifier)
        except DeskError as problem:
            kind = type(problem).__name__
            self.desk.journal.line("sign_in_failed", Severity.ERROR, kind=kind, detail=problem.detail)
            return _page("Not signed in", f"<p>{UNREACHABLE}</p>", status=503)
        if isinstance(answer, SignedIn):
            return _page("Signed in", "<p>The token is stored and lives until midnight New York.</p>")
        return _page("Not signed in", f"<p>{REFUSED}</p>", status=400)


def _form(opened: Opened) -> str:
    return (
        f'<ol><li><a class="go" id="authorize" rel="noreferrer" href="{escape(opened.url, quote=True)}">'
        "Open E*TRADE and accept</a></li><li>Type the code that E*TRADE shows:"
        f'<form method="post" action="/pin"><input type="hidden" name="flow" value="{escape(opened.flow, quote=True)}">'
        '<input name="pin" autocomplete="off" required pattern="[A-Za-z0-9]{4,16}" aria-label="Code"> '
        "<button>Sign in</button></form></li></ol><p>This page is good for five minutes.</p>"
    )


def _page(title: str, body: str, *, status: int = 200) -> Response:
    return _sealed(Response(_PAGE.format(title=title, body=body), status=status, mimetype="text/html"))


def _sealed(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response
