"""The resource /groups: trips that resemble each other."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from tripsmith.answers.trip_groups import GOLD_ZOOM, MAX_LIMIT, MAX_ZOOM, MIN_ZOOM, trip_groups
from tripsmith.web import documents
from tripsmith.web.area_query import AreaQuery
from tripsmith.web.current import current
from tripsmith.web.problems import problems

api = APIBlueprint(
    "trip_groups",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Answers")],
    abp_responses=problems(400, 401, 403, 404, 500, 503),
)


class TripGroupQuery(AreaQuery):
    """The area, how coarse the groups are, and which page of them."""

    zoom: int = Field(GOLD_ZOOM, description=f"Zoom of the cells, {MIN_ZOOM} to {MAX_ZOOM}.")
    hour: int | None = Field(None, description="Only trips that start in this hour of the local day, 0 to 23.")
    limit: int = Field(20, description=f"How many groups to return, 1 to {MAX_LIMIT}.")
    cursor: str | None = Field(None, description="`next` of the page before.")


@api.get("/groups", operation_id="listTripGroups", responses={200: documents.TripGroupPage})
def list_trip_groups(query: TripGroupQuery) -> dict[str, Any]:
    """Ask for the trip groups of an area, most trips first."""
    area = query.area()
    with current().warehouse.connect() as connection:
        return trip_groups(
            connection, area, zoom=query.zoom, hour=query.hour, limit=query.limit, cursor=query.cursor
        ).as_json()
