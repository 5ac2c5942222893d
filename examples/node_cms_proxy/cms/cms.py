"""Where editors write articles (/cms/) and the site reads them (/cms/articles.json, /cms/files/)."""

from __future__ import annotations

import hmac
import os
from pathlib import Path

from flask import Flask, Response, abort, jsonify, redirect, render_template, request, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from store import Refused, Store

LARGEST = 5 * 2**20


def make_app(folder: Path | None = None) -> Flask:
    """The application, with the editors' password from EDITOR_PASSWORD and the folder from DATA."""
    password = os.environ.get("EDITOR_PASSWORD")
    if not password:  # an exception: gunicorn starts a worker that exits again and again
        raise RuntimeError("Set the environment variable EDITOR_PASSWORD.")
    store = Store(folder or Path(os.environ.get("DATA", "/data")))
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST

    def only_editors() -> None:
        given = request.authorization
        known = given and given.username == "editor" and hmac.compare_digest(given.password or "", password)
        if not known:
            abort(Response("Log in.\n", 401, {"WWW-Authenticate": 'Basic realm="CMS"'}, mimetype="text/plain"))
        # A browser sends the password along with forms of other sites too.
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            abort(403)

    @app.get("/cms/")
    def page() -> str:
        only_editors()
        return render_template("editor.html", articles=store.list())

    @app.post("/cms/")
    def add() -> AnyResponse | tuple[str, int]:
        only_editors()
        image = request.files.get("image")
        name, content = (image.filename or "", image.read()) if image else ("", b"")
        try:
            store.add(request.form.get("title", ""), request.form.get("text", ""), name, content)
        except Refused as error:
            return render_template("editor.html", articles=store.list(), error=error), 400
        return redirect("/cms/")

    @app.get("/cms/articles.json")
    def articles() -> Response:
        return jsonify(articles=store.list())

    @app.get("/cms/files/<name>")
    def file(name: str) -> Response:
        answer = send_from_directory(store.files, name, max_age=365 * 86400)  # its name is made of its content
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    @app.get("/healthz")
    def health() -> Response:
        return Response("ok\n", mimetype="text/plain")

    return app
