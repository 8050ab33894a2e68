"""The resources /groups, trips that resemble each other, and /flows, the same whatever the hour."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from tripsmith.answers.grouping import GOLD_ZOOM, MAX_ZOOM, MIN_ZOOM, GroupQuestion
from tripsmith.answers.trip_groups import MAX_LIMIT, trip_groups
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.shape import parse_bbox
from tripsmith.web.api import documents
from tripsmith.web.api.selection_query import SelectionQuery, WholeNumber, WithArea, check_address
from tripsmith.web.current import current
from tripsmith.web.problems import problems

api = APIBlueprint(
    "trip_groups",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Answers")],
    abp_responses=problems(400, 401, 403, 404, 500, 503),
)
api.before_request(check_address)


class Grouping(BaseModel):
    """How coarse the groups are, where their ends lie, and which page of them."""

    zoom: WholeNumber = Field(GOLD_ZOOM, description=f"Zoom of the cells, {MIN_ZOOM} to {MAX_ZOOM}.")
    origin_bbox: str | None = Field(None, description="Box that trips start in, besides what else is asked.")
    destination_bbox: str | None = Field(None, description="Box that trips end in, besides what else is asked.")
    limit: WholeNumber = Field(20, description=f"How many groups to return, 1 to {MAX_LIMIT}.")
    cursor: str | None = Field(None, description="`next` of the page before.")


class GroupsQuery(SelectionQuery, Grouping):
    """Which trips are grouped, and how."""


class GroupsBody(WithArea, Grouping):
    """Which trips are grouped, and how."""


class OneHour(BaseModel):
    """A single hour, as the shorter way of saying `hours`."""

    hour: WholeNumber | None = Field(
        None, ge=0, le=23, description="Only trips that start in this hour of the local day."
    )


class TripGroupQuery(GroupsQuery, OneHour):
    """Which trips are grouped, and how."""


class TripGroupBody(GroupsBody, OneHour):
    """Which trips are grouped, and how."""


@api.get("/groups", operation_id="listTripGroups", responses={200: documents.TripGroupPage})
def list_trip_groups(query: TripGroupQuery) -> dict[str, Any]:
    """Ask for trip groups, most trips first."""
    return _answer(query, by_hour=True)


@api.post("/groups", operation_id="askTripGroups", responses={200: documents.TripGroupPage})
def ask_trip_groups(body: TripGroupBody) -> dict[str, Any]:
    """Ask for the trip groups of a polygon, most trips first."""
    return _answer(body, by_hour=True)


@api.get("/flows", operation_id="listFlows", responses={200: documents.FlowPage})
def list_flows(query: GroupsQuery) -> dict[str, Any]:
    """Ask for the flows between cells, most trips first: trip groups of all hours together."""
    return _answer(query, by_hour=False)


@api.post("/flows", operation_id="askFlows", responses={200: documents.FlowPage})
def ask_flows(body: GroupsBody) -> dict[str, Any]:
    """Ask for the flows between cells from or to a polygon, most trips first."""
    return _answer(body, by_hour=False)


def _answer(asked: GroupsQuery | GroupsBody, *, by_hour: bool) -> dict[str, Any]:
    hour = getattr(asked, "hour", None)
    if hour is not None and asked.hours is not None:
        raise BadQuestionError("hour", "Give hour or hours, not both.")
    if hour is not None:
        asked = asked.model_copy(update={"hours": str(hour)})
    origin, destination = asked.origin_bbox, asked.destination_bbox
    question = GroupQuestion(
        selection=asked.selection(),
        zoom=asked.zoom,
        origin=parse_bbox(origin, "origin_bbox") if origin is not None else None,
        destination=parse_bbox(destination, "destination_bbox") if destination is not None else None,
        by_hour=by_hour,
    )
    with current().warehouse.connect() as connection:
        return trip_groups(connection, question, limit=asked.limit, cursor=asked.cursor).as_json()
