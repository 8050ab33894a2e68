"""The original API and its events, kept to the letter, slips and all, for the clients that exist.

It shares everything below it with version 1. Errors are {"error": …} here, not problem details.
"""

import json
import os
import signal
from importlib.resources import files
from typing import Any

import gevent
from flask import Blueprint, Response, current_app, request
from flask_socketio import SocketIO
from gevent.queue import JoinableQueue
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

from tripsmith.access.guard import Guard
from tripsmith.answers.errors import UnknownRegionError
from tripsmith.answers.selection import Selection
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.shape import box_between
from tripsmith.ingestion.ingestion import Ingestion
from tripsmith.ingestion.submission import Options
from tripsmith.web.current import current
from tripsmith.web.live.feed import IngestionFeed
from tripsmith.web.live.namespace import GuardedNamespace
from tripsmith.web.problems import describe
from tripsmith.web.uploads.upload import BrokenFormError, allow_large_body, receive_part

NAMESPACE = "/my_namespace"
EXTENSION = "tripsmith-original"

# In the order in which clients wait for them; an ingestion is at a step once the messages before it are sent.
_MESSAGES = (
    ("data_ingestion_status", "Data ingestion started"),
    ("data_ingestion_status", "Data ingestion completed"),
    ("data_transformation_status", "Data transformation started"),
    ("data_transformation_status", "Silver layer created"),
    ("data_transformation_status", "Gold layer created"),
    ("data_transformation_status", "Data transformation completed"),
)
_STEPS = {"queued": 0, "bronze": 1, "silver": 3, "gold": 4, "succeeded": len(_MESSAGES)}

# Clients that start a thread for each message, as python-socketio's does, mix up those that come at the same moment.
_GAP_SECONDS = 0.02
# With this many steps untold, files that come and go meanwhile are summed up in the sets that are on their way.
_BURST = 10 * len(_MESSAGES)

_RELOAD_AFTER_SECONDS = 0.5
# The original knew 400 and 500 only; these its clients have to tell apart.
_TOLD_STATUSES = (401, 403, 408, 413, 503)

pages = Blueprint("original", __name__)


class OriginalNamespace(GuardedNamespace):
    """Tells every client of each ingestion's six steps, once each and in order, however fast the ingestion is."""

    def __init__(self, socketio: SocketIO, guard: Guard, feed: IngestionFeed) -> None:
        super().__init__(NAMESPACE, socketio, guard)
        self._announced: dict[str, int] = {}
        self._steps: JoinableQueue[tuple[str, str]] = JoinableQueue()
        feed.subscribe(self._changed)

    def run(self) -> None:
        """Tell the steps of ingestions, one after the other; never returns."""
        while True:
            self.say(*self._steps.get())
            self._steps.task_done()

    def say(self, event: str, message: str) -> None:
        """Send all clients an event, and leave a gap after it."""
        self.tell(event, {"message": message})
        gevent.sleep(_GAP_SECONDS)

    def tell_all_steps(self) -> None:
        """Have the six steps told of a file that was in the warehouse already: its sender waits for them."""
        for step in _MESSAGES:
            self._steps.put(step)

    def wait_until_told(self) -> None:
        """Return when all steps that are to be told have been."""
        self._steps.join()

    def _changed(self, previous: Ingestion | None, ingestion: Ingestion) -> None:
        if previous is not ingestion and previous is not None and previous.state == "succeeded":
            return
        step = _step(ingestion)
        # What was under way before we began is not told again from its start, nor is a retry.
        announced = step if previous is ingestion else self._announced.pop(ingestion.id, 0)
        if announced == 0 and self._steps.qsize() >= _BURST:
            return
        for message in _MESSAGES[announced:step]:
            self._steps.put(message)
        if ingestion.state not in ("succeeded", "removed"):
            self._announced[ingestion.id] = max(announced, step)


def _step(ingestion: Ingestion) -> int:
    return _STEPS.get((ingestion.phase or "") if ingestion.state == "running" else ingestion.state, 0)


def _namespace() -> OriginalNamespace:
    namespace: OriginalNamespace = current_app.extensions[EXTENSION]
    return namespace


@pages.post("/upload-csv")
def upload_csv() -> tuple[dict[str, str], int]:
    """Take a file and answer when it is through all three layers."""
    allow_large_body()
    try:
        files_sent = request.files
    except BrokenFormError:
        files_sent = ImmutableMultiDict()
    if "file" not in files_sent:
        return {"error": "No file part"}, 400
    name = files_sent["file"].filename
    if not name:
        return {"error": "No selected file"}, 400
    if not name.endswith(".csv"):
        return {"error": "Invalid file format"}, 400
    submission = receive_part().submit(Options(refuse_overlap=current().settings.refuse_overlap))
    if submission.ingestion.state == "succeeded":
        _namespace().tell_all_steps()
        _namespace().wait_until_told()
    else:
        ended = current().feed.wait_until_finished(submission.ingestion.id)
        _namespace().wait_until_told()
        if ended.state != "succeeded":
            return {"error": ended.error or f"The ingestion was {ended.state}."}, 500
    return {"message": "File uploaded and saved to database successfully"}, 200


@pages.get("/weekly-average-trips")
def show_weekly_average_trips() -> tuple[dict[str, Any], int]:
    """Answer each week's trips that start in a region or a box."""
    say = _namespace().say
    event = "weekly_average_trips_status"
    say(event, "Fetch weekly average trips started")
    try:
        selection = _selection()
        say(event, f"Fetch weekly average trips by {'REGION' if selection.region else 'BOUDING BOX'}")
        with current().warehouse.connect() as connection:
            series = weekly_average(connection, selection).series
    except UnknownRegionError:
        series = ()
    except BadQuestionError as error:
        say(event, "Fetch weekly average trips error")
        return {"error": str(error)}, 400
    except Exception:
        say(event, "Fetch weekly average trips error")
        raise
    say(event, "Fetch weekly average trips concluded")
    return {"data": [{"week": week.isoformat(), "weekly_avg_trips": trips} for week, trips in series if trips]}, 200


def _selection() -> Selection:
    region = request.args.get("region")
    if region:
        return Selection(region=region)
    edges = {name: request.args.get(name) for name in ("min_lon", "min_lat", "max_lon", "max_lat")}
    missing = [name for name, text in edges.items() if not text]
    if missing:
        needed = "a region, or min_lat, max_lat, min_lon and max_lon"
        raise BadQuestionError(missing[0], f"The question needs {needed}; {', '.join(missing)} not given.")
    try:
        west, south, east, north = (float(text or "") for text in edges.values())
        return Selection(shape=box_between(west, south, east, north))
    except ValueError as error:
        if isinstance(error, BadQuestionError):
            raise
        raise BadQuestionError("bbox", "min_lat, max_lat, min_lon and max_lon must be numbers of degrees.") from None


@pages.get("/spec")
def show_spec() -> Response:
    """Return the OpenAPI document of the original API."""
    text = files("tripsmith.web.original").joinpath("spec.json").read_text(encoding="utf-8")
    return Response(json.dumps(json.loads(text)), mimetype="application/json")


@pages.post("/restart-server")
def restart_server() -> tuple[dict[str, str], int]:
    """Reload the web workers once this is answered; what they are doing is finished first."""
    _namespace().say("trigger_restart", "Server will be restared")
    gevent.spawn_later(_RELOAD_AFTER_SECONDS, os.kill, os.getppid(), signal.SIGHUP)
    return {"message": "Server restarting..."}, 200


@pages.errorhandler(Exception)
def _describe_error(error: Exception) -> Response | tuple[dict[str, str], int, dict[str, str]]:
    if isinstance(error, HTTPException) and (error.code or 0) < 400:
        return describe(error)
    answer = describe(error)
    status = answer.status_code if answer.status_code in _TOLD_STATUSES else 500
    headers = {name: answer.headers[name] for name in ("WWW-Authenticate", "Retry-After") if name in answer.headers}
    return {"error": json.loads(answer.get_data())["detail"]}, status, headers
