"""The plain first page: what the warehouse holds, the latest ingestions, and the way to the reference."""

from flask import Blueprint, render_template

from tripsmith.answers.metrics import trip_metrics
from tripsmith.ingestion.ingestion import list_ingestions
from tripsmith.web.access import may
from tripsmith.web.current import current

pages = Blueprint("home", __name__, template_folder="templates")


@pages.get("/")
def show_home() -> str:
    """Show the first page."""
    if not may("reader"):
        return render_template("home.html", metrics=None)
    with current().warehouse.connect() as connection:
        metrics = trip_metrics(connection)
        latest = list_ingestions(connection, limit=10)
    return render_template("home.html", metrics=metrics, latest=latest)
