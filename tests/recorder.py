"""Counts the requests to Supabase that a reply took."""

from flask import Flask, Response

from voxanne import database


class RequestRecorder:
    """Remembers, for the last reply, the name of each request to Supabase."""

    def __init__(self) -> None:
        self.last: list[str] = []

    def init_app(self, app: Flask) -> None:
        @app.after_request
        def remember(response: Response) -> Response:
            self.last = [name for name, _ in database.request_log().entries]
            return response
