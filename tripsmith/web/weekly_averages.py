"""The resource /weekly-average: how many trips a week an area sees."""

from datetime import date
from typing import Annotated, Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BeforeValidator, Field

from tripsmith.answers.weekly_average import weekly_average
from tripsmith.web import documents
from tripsmith.web.area_query import AreaQuery
from tripsmith.web.current import current
from tripsmith.web.problems import problems

api = APIBlueprint(
    "weekly_averages",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Answers", description="Questions put to the warehouse; every answer is exact")],
    abp_responses=problems(400, 401, 403, 404, 500, 503),
)


def _parse_date(text: Any) -> Any:
    # pydantic takes a bare number for seconds since 1970: `from=2018` would be a day of that year.
    try:
        return date.fromisoformat(text) if isinstance(text, str) else text
    except ValueError:
        raise ValueError("it must be a date such as 2018-04-30") from None


Day = Annotated[date | None, BeforeValidator(_parse_date)]


class WeeklyAverageQuery(AreaQuery):
    """The area and the span."""

    from_: Day = Field(None, alias="from", description="First local date; by default that of the area's first trip.")
    to: Day = Field(None, description="Last local date; by default that of the area's last trip.")


@api.get("/weekly-average", operation_id="getWeeklyAverage", responses={200: documents.WeeklyAverage})
def show_weekly_average(query: WeeklyAverageQuery) -> dict[str, Any]:
    """Ask for the weekly average of trips in an area."""
    area = query.area()
    with current().warehouse.connect() as connection:
        return weekly_average(connection, area, query.from_, query.to).as_json()
