"""Recordings for audio players, which send no token: the signed link in the address stands for one."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from voxanne import database
from voxanne.openapi import describe
from voxanne.queries import calls as queries
from voxanne.services import recordings

bp = Blueprint("recordings", __name__, url_prefix="/api/recordings")


@bp.get("/<link>")
@describe("Recordings", status=302, public=True, errors=(404,))
def play(link: str) -> Response:
    """Redirect a player to the audio of the call that the link was signed for."""
    org_id, call_id = recordings.read_link(link)
    row = queries.get_call(database.as_service(), org_id, call_id, queries.RECORDING_COLUMNS)
    url, _ = recordings.signed_url(org_id, row)
    return redirect(url, 302)
