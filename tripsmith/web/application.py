"""The Flask application: the API's resources, live events, the original API and the pages, put together."""

import gevent
from flask import Flask, Response
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from flask_socketio import SocketIO

import tripsmith
from tripsmith.access.guard import Guard
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse
from tripsmith.web import access, current, dashboard, monitoring, parameters, problems, reference
from tripsmith.web.api import cells, example, health, ingestions, metrics, trip_groups, weekly_averages
from tripsmith.web.live.broadcast import open_websockets
from tripsmith.web.live.feed import IngestionFeed
from tripsmith.web.live.ingestions import IngestionNamespace
from tripsmith.web.live.namespace import watch_tokens
from tripsmith.web.original import original
from tripsmith.web.same_origin import SameOrigin
from tripsmith.web.uploads import tus, upload
from tripsmith.web.uploads.body import WholeBodies

# What goes on beside the requests for as long as the application runs.
_LOOPS = "tripsmith-loops"

# Bodies that are not uploads are small.
_MAX_BODY_BYTES = 16 * 1024 * 1024


def create_app(settings: Settings, warehouse: Warehouse) -> tuple[OpenAPI, SocketIO]:
    """Return the application and its Socket.IO server; the feed in them is not running yet."""
    app = OpenAPI(
        "tripsmith.web",
        info=Info(title="Tripsmith", version=tripsmith.__version__, description=_DESCRIPTION),
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
        validation_error_status=400,
        validation_error_model=problems.Problem,
        validation_error_callback=problems.describe_validation,
        static_folder=None,
    )
    app.request_class = upload.UploadRequest
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]

    for resource in (ingestions, example, weekly_averages, trip_groups, cells, metrics, health):
        app.register_api(resource.api)
    for pages in (dashboard.pages, reference.pages, tus.pages, original.pages):
        app.register_blueprint(pages)
    problems.register(app)
    app.teardown_request(upload.discard_unsubmitted)
    app.after_request(_add_security_headers)

    guard = Guard(settings, warehouse)
    feed = IngestionFeed(warehouse)
    # The origin is checked once for everything, by SameOrigin below.
    socketio = SocketIO(app, async_mode="gevent", cors_allowed_origins=[])
    open_websockets(socketio)
    ingestion_namespace = IngestionNamespace(socketio, guard, feed)
    original_namespace = original.OriginalNamespace(socketio, guard, feed)
    socketio.on_namespace(ingestion_namespace)
    socketio.on_namespace(original_namespace)

    monitoring.register(app, warehouse, feed, ingestion_namespace.count)
    access.register(app, guard)
    parameters.register(app)
    app.extensions[current.EXTENSION] = current.Current(settings, warehouse, feed)
    app.extensions[_LOOPS] = (
        feed.run,
        original_namespace.run,
        lambda: watch_tokens(guard, ingestion_namespace, original_namespace),
    )
    app.extensions[original.EXTENSION] = original_namespace
    app.wsgi_app = SameOrigin(app.wsgi_app, settings)  # type: ignore[method-assign]
    app.wsgi_app = WholeBodies(app.wsgi_app, settings.silent_seconds)  # type: ignore[method-assign]
    return app, socketio


def application() -> Flask:
    """Return the application that a web worker of `tripsmith serve` runs, its feed running.

    `tripsmith serve` has made the warehouse ready and passes its address on in TRIPSMITH_DATABASE_URL.
    """
    settings = Settings()
    if settings.database_url is None:
        raise RuntimeError("TRIPSMITH_DATABASE_URL is not set; start the server with `tripsmith serve`.")
    app, _ = create_app(settings, Warehouse(settings.database_url))
    for loop in app.extensions[_LOOPS]:
        gevent.spawn(loop)
    return app


def _add_security_headers(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
    return response


_DESCRIPTION = """Trips in, weekly averages and trip groups out.

Errors are problem details (RFC 9457) with a `detail` that says what would be right. Whatever happens to an ingestion is
sent live by Socket.IO, namespace `/ingestions`, event `ingestion`: the same document as here.

A server that other machines reach wants a token, `Authorization: Bearer TOKEN`: of the role reader for questions, of
the role ingester for what changes something."""
