"""A board of notes: a page and an API, both over notes.py. What they keep lies in a table, so any container may go."""

from __future__ import annotations

from flask import Flask, Response, jsonify, redirect, render_template, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as Redirect

import notes


def make_app() -> Flask:
    """The application, for gunicorn and for tests."""
    app = Flask(__name__)
    # One load balancer stands in front and ends TLS: https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign] # as Flask documents it

    @app.get("/")
    def page() -> str:
        return render_template("page.html", notes=notes.newest())

    @app.post("/")
    def pin() -> Redirect | tuple[str, int]:
        try:
            notes.write(request.form.get("text", ""))
        except notes.NoteError as error:
            return render_template("page.html", notes=notes.newest(), error=error), 400
        return redirect("/", 303)

    @app.get("/api/notes")
    def read() -> Response:
        return jsonify(notes=notes.newest())

    @app.post("/api/notes")
    def write() -> tuple[Response, int]:
        given = request.get_json(silent=True)
        text = given.get("text") if isinstance(given, dict) else None
        try:
            return jsonify(notes.write(text if isinstance(text, str) else "")), 201
        except notes.NoteError as error:
            return jsonify(error=str(error)), 400

    @app.get("/healthz")
    def health() -> Response:
        # The table is not asked: if DynamoDB is away, new containers do not help.
        return Response("ok\n", mimetype="text/plain")

    return app
