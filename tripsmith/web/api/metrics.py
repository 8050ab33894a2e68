"""The resources /metrics/trips, /regions and /datasources: what the warehouse holds."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from tripsmith.answers.metrics import list_datasources, list_regions, trip_metrics
from tripsmith.answers.statistics import trip_statistics
from tripsmith.web.api import documents
from tripsmith.web.api.selection_query import check_address
from tripsmith.web.current import current
from tripsmith.web.problems import problems

api = APIBlueprint(
    "metrics",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Metrics", description="What the warehouse holds")],
    abp_responses=problems(400, 401, 403, 404, 500, 503),
)
api.before_request(check_address)


class MetricsQuery(BaseModel):
    """Whose trips are spread over weeks, hours and lengths; totals and rejected rows are always of all."""

    model_config = ConfigDict(extra="forbid")

    region: str | None = Field(None, description="Name of a region, in any case.")


@api.get("/metrics/trips", operation_id="getTripMetrics", responses={200: documents.TripMetrics})
def show_trip_metrics(query: MetricsQuery) -> dict[str, Any]:
    """Show trips, rejected rows, the first and last trip, by region and data source, week, hour and length."""
    with current().warehouse.connect() as connection:
        return trip_metrics(connection).as_json() | trip_statistics(connection, query.region).as_json()


@api.get("/regions", operation_id="listRegions", responses={200: documents.RegionList})
def list_all_regions() -> dict[str, Any]:
    """List the regions, most trips first."""
    with current().warehouse.connect() as connection:
        return {"regions": [region.as_json() for region in list_regions(connection)]}


@api.get("/datasources", operation_id="listDatasources", responses={200: documents.DatasourceList})
def list_all_datasources() -> dict[str, Any]:
    """List the data sources, most trips first."""
    with current().warehouse.connect() as connection:
        return {"datasources": [datasource.as_json() for datasource in list_datasources(connection)]}
