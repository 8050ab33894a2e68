"""What a request works with: the settings, the warehouse and the feed of the application that serves it."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse
from tripsmith.web.live.feed import IngestionFeed

EXTENSION = "tripsmith"


@dataclass(frozen=True, slots=True)
class Current:
    """The parts of one application, kept in `app.extensions`."""

    settings: Settings
    warehouse: Warehouse
    feed: IngestionFeed


def current() -> Current:
    """Return the parts of the application that serves this request."""
    return cast(Current, current_app.extensions[EXTENSION])
