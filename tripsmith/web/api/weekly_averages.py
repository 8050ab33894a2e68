"""The resource /weekly-average: how many trips a week an area sees."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from tripsmith.answers.selection import Selection
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.web.api import documents
from tripsmith.web.api.selection_query import SelectionQuery, WithArea, check_address
from tripsmith.web.current import current
from tripsmith.web.problems import problems

api = APIBlueprint(
    "weekly_averages",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Answers", description="Questions put to the warehouse; every answer is exact")],
    abp_responses=problems(400, 401, 403, 404, 500, 503),
)
api.before_request(check_address)


@api.get("/weekly-average", operation_id="getWeeklyAverage", responses={200: documents.WeeklyAverage})
def show_weekly_average(query: SelectionQuery) -> dict[str, Any]:
    """Ask for the weekly average of trips in an area."""
    return _answer(query.selection())


@api.post("/weekly-average", operation_id="askWeeklyAverage", responses={200: documents.WeeklyAverage})
def ask_weekly_average(body: WithArea) -> dict[str, Any]:
    """Ask for the weekly average of trips in a polygon."""
    return _answer(body.selection())


def _answer(selection: Selection) -> dict[str, Any]:
    with current().warehouse.connect() as connection:
        return weekly_average(connection, selection).as_json()
