"""The dashboard at /: the files that dashboard/ is built into, served compressed as they lie in static/."""

import gzip
import html
import mimetypes
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, request, send_from_directory

from tripsmith.web.current import current

FOLDER = Path(str(files("tripsmith.web"))) / "static"

_YEAR_SECONDS = 31_536_000
_HOUR_SECONDS = 3600
_STYLE_MARK = 'name="tripsmith-map-style" content=""'
_UNBUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tripsmith</title></head><body><main>
<h1>Tripsmith</h1>
<p>The dashboard was not built: run <code>make dashboard</code>. The API is there:
see its <a href="/api/docs">reference</a>.</p>
</main></body></html>
"""

pages = Blueprint("dashboard", __name__)


@pages.get("/")
def show_dashboard() -> Response:
    """Show the dashboard; it is told of the map style that the settings name."""
    page = FOLDER / "index.html"
    text = page.read_text() if page.exists() else _UNBUILT
    style = current().settings.map_style
    if style is not None:
        text = text.replace(_STYLE_MARK, _STYLE_MARK.replace('""', f'"{html.escape(style)}"'))
    response = Response(text, mimetype="text/html")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = content_security_policy(style)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@pages.get("/dashboard/<path:name>")
def show_file(name: str) -> Response:
    """Show a script, a style or a part of the base map. Built scripts have a digest in their names and never change."""
    is_named_by_content = name.startswith("assets/")
    response = send_from_directory(
        FOLDER,
        f"{name}.gz",
        mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
        max_age=_YEAR_SECONDS if is_named_by_content else _HOUR_SECONDS,
    )
    response.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings.quality("gzip") > 0:
        response.headers["Content-Encoding"] = "gzip"
    elif response.status_code == 200:
        response.direct_passthrough = False
        response.set_data(gzip.decompress(response.get_data()))
    return response


def content_security_policy(map_style: str | None) -> str:
    """Return what the page may load: its own host's files, and what a map style from elsewhere needs."""
    others = ""
    if map_style is not None and (host := urlsplit(map_style)).netloc:
        others = f" {host.scheme}://{host.netloc} https:"
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self'{others}",
            f"img-src 'self' data: blob:{others}",
            "worker-src 'self' blob:",
            "style-src 'self' 'unsafe-inline'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )
