"""A page and an API for contrast.py. No database, no volume, no session: any number of containers answers the same."""

from __future__ import annotations

import os

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.middleware.proxy_fix import ProxyFix

from contrast import ColorError, grade, normal, ratio


def make_app() -> Flask:
    """The application, for gunicorn and for tests."""
    app = Flask(__name__)
    # One load balancer stands in front and ends TLS: https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign] # as Flask documents it
    app.config["GREETING"] = os.environ.get("GREETING", "Can it be read?")

    @app.get("/")
    def page() -> str | tuple[str, int]:
        text, background = request.args.get("text", "#222222"), request.args.get("background", "#ffffff")
        shown = {"greeting": app.config["GREETING"], "text": text, "background": background}
        try:
            shown |= {"text": normal(text), "background": normal(background)}
        except ColorError as error:
            return render_template("page.html", error=error, **shown), 400
        value = ratio(text, background)
        return render_template("page.html", ratio=value, grade=grade(value), **shown)

    @app.get("/api/contrast")
    def api() -> Response | tuple[Response, int]:
        try:
            value = ratio(request.args.get("text", ""), request.args.get("background", ""))
        except ColorError as error:
            return jsonify(error=str(error)), 400
        return jsonify(ratio=value, grade=grade(value))

    @app.get("/healthz")
    def health() -> Response:
        return Response("ok\n", mimetype="text/plain")

    return app
