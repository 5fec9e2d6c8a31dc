"""The page for those who run the platform: rendered here, with a session of its own, loading nothing from elsewhere.

A browser can't send a bearer token with a page, so an encrypted cookie takes its place, on these addresses only.
"""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request
from flask_limiter import RateLimitExceeded
from pydantic import ValidationError

from voxanne.config import Settings
from voxanne.errors import ApiError, Forbidden, RateLimited, Unauthenticated, ValidationFailed
from voxanne.openapi import describe
from voxanne.schemas.ops import SignIn
from voxanne.services import operations_page, operator_session, readable
from voxanne.services.operator_session import OperatorSession

bp = Blueprint("ops", __name__)

PATH = "/ops"
COOKIE = "voxanne_ops"
REFRESH_SECONDS = 15
ASSETS = Path(__file__).parent.parent / "assets"
YEAR_SECONDS = 31_536_000
# Origin is told to this server only; without it, a browser on plain HTTP could not say whose form it sends.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}
_PAGES = dict.fromkeys((400, 401, 403, 429, 503))


@bp.get(PATH)
@describe("Monitoring", public=True, replies=_PAGES)
def show() -> Response:
    """Show the last hour and the database to an operator, and to anybody else a form to sign in."""
    sealed = request.cookies.get(COOKIE)
    if sealed is None:
        return _sign_in_page()
    session = operator_session.resume(sealed)
    page = render_template("ops.html", email=session.email, refresh_seconds=REFRESH_SECONDS, **operations_page.view())
    # Only a new one: a refresh on its way while somebody signs out would bring the ended session back.
    return _with_session(_page(page), session) if session.renewed else _page(page)


@bp.post(f"{PATH}/session")
@describe("Monitoring", status=303, public=True, replies=_PAGES)
def sign_in(form: SignIn) -> Response:  # noqa: ARG001 -- described by it, read below
    """Sign an operator in with the form's `email` and `password`, and lead on to the page."""
    try:
        given = SignIn.model_validate(request.form.to_dict())
    except ValidationError:
        raise ValidationFailed("Please enter your e-mail address and your password.") from None
    session = operator_session.sign_in(given.email.strip(), given.password)
    return _with_session(make_response(redirect(PATH, 303)), session)


@bp.get(f"{PATH}/session")
@describe("Monitoring", status=303, public=True)
def lead_back() -> Response:
    """Lead a browser back to the page that opens the address of the form anew, as after a failed sign-in."""
    return make_response(redirect(PATH, 303))


@bp.post(f"{PATH}/session/end")
@describe("Monitoring", status=303, public=True, replies={400: None})
def sign_out() -> Response:
    """End the session of an operator's browser, and lead back to the form."""
    if sealed := request.cookies.get(COOKIE):
        operator_session.end(sealed)
    return _forget(make_response(redirect(PATH, 303)))


@bp.get(f"{PATH}/assets/<asset>")
@describe("Monitoring", public=True, errors=(404,))
def get_asset(asset: str) -> Response:
    """Return a script, a style or the icon of the page."""
    if asset not in _hashes():
        abort(404)
    response = Response((ASSETS / asset).read_bytes(), mimetype=mimetypes.guess_type(asset)[0] or "text/plain")
    if request.args.get("v") == _hashes()[asset]:
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


@bp.errorhandler(ApiError)
def _explain(error: ApiError) -> Response:
    """Show the form with what went wrong; who has no session any more has no cookie either."""
    response = _sign_in_page(error)
    return _forget(response) if isinstance(error, (Unauthenticated, Forbidden)) else response


@bp.errorhandler(RateLimitExceeded)
def _too_often(error: RateLimitExceeded) -> Response:
    wait = RateLimited(error.limit.limit.get_expiry() if error.limit else operator_session.WAIT_SECONDS)
    wait.message = "Too many attempts to sign in. Please try again in a quarter of an hour."
    return _sign_in_page(wait)


def _sign_in_page(error: ApiError | None = None) -> Response:
    page = render_template(
        "ops_sign_in.html", problem=error.message if error else None, email=request.form.get("email")
    )
    response = _page(page)
    if error is not None:
        response.status_code = error.status
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
    return response


def _page(text: str) -> Response:
    return Response(text, mimetype="text/html", headers=_HEADERS)


def _with_session(response: Response, session: OperatorSession) -> Response:
    settings: Settings = current_app.config["SETTINGS"]
    response.set_cookie(
        COOKIE,
        session.seal(),
        expires=int(session.ends_at),
        path=PATH,
        secure=settings.app_env != "development",
        httponly=True,
        samesite="Strict",
    )
    return response


def _forget(response: Response) -> Response:
    response.delete_cookie(COOKIE, path=PATH)
    return response


@cache
def _hashes() -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in sorted(ASSETS.iterdir())}


@bp.app_template_global()
def asset_url(name: str) -> str:
    """Return where an asset is, in an address of its own for each content."""
    return f"{PATH}/assets/{name}?v={_hashes()[name]}"


for _filter in readable.FILTERS:
    bp.add_app_template_filter(_filter)
