"""The API behind the front end: photos of a visitor's own ears, and what would fit these."""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, g, jsonify, request
from werkzeug.middleware.proxy_fix import ProxyFix

import advice
import photos

COOKIE = "visitor"
"""Holds the visitor's number. Who has it sees these photos, so it is as hard to guess as a password."""


def make_app() -> Flask:
    """The application, for gunicorn and for tests."""
    app = Flask(__name__)
    # One load balancer stands in front and ends TLS: https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign] # as Flask documents it

    @app.before_request
    def know() -> None:
        given = request.cookies.get(COOKIE, "")
        g.new = not re.fullmatch(r"[0-9a-f]{32}", given)
        g.visitor = secrets.token_hex(16) if g.new else given

    @app.after_request
    def remember(response: Response) -> Response:
        if request.path.startswith("/api/"):
            response.headers["Cache-Control"] = "no-store"  # signed addresses are for one visitor, and for minutes
            if g.new:
                response.set_cookie(
                    COOKIE, g.visitor, max_age=90 * 86_400, path="/api", secure=request.is_secure, httponly=True,
                    samesite="Strict",
                )  # fmt: skip
        return response

    @app.errorhandler(photos.PhotoError)
    def refused(error: photos.PhotoError) -> tuple[Response, int]:
        return jsonify(error=str(error)), error.status

    @app.get("/api/photos")
    def read() -> Response:
        return jsonify(photos=photos.newest(g.visitor))

    @app.post("/api/photos")
    def write() -> tuple[Response, int]:
        given = request.get_json(silent=True)
        kind = given.get("type") if isinstance(given, dict) else None
        return jsonify(photos.upload(g.visitor, kind if isinstance(kind, str) else "")), 201

    @app.get("/api/photos/<name>/advice")
    def advise(name: str) -> Response:
        return jsonify(advice=advice.of(photos.begin(g.visitor, name)))

    @app.delete("/api/photos/<name>")
    def forget(name: str) -> tuple[str, int]:
        photos.delete(g.visitor, name)
        return "", 204

    @app.get("/healthz")
    def health() -> Response:
        # The bucket is not asked: if S3 is away, new containers do not help.
        return Response("ok\n", mimetype="text/plain")

    return app
