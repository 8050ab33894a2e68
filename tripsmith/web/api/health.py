"""Whether the server is there (/healthz) and whether it can do its work (/readyz)."""

from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from tripsmith.ingestion.worker import count_workers
from tripsmith.web.api import documents
from tripsmith.web.current import current
from tripsmith.web.problems import problem, problems

api = APIBlueprint(
    "health",
    __name__,
    abp_tags=[Tag(name="Health", description="For whoever watches the server")],
    abp_responses=problems(400, 403, 500),
)


@api.get("/healthz", operation_id="getHealth", responses={200: documents.Health})
def show_health() -> dict[str, Any]:
    """Tell that the server is there."""
    return {"status": "ok"}


@api.get("/readyz", operation_id="getReadiness", responses={200: documents.Readiness, **problems(503)})
def show_readiness() -> dict[str, Any] | Response:
    """Tell whether the database answers and live events are followed, and how many workers there are.

    Without a worker questions are answered all the same, and files wait.
    """
    with current().warehouse.connect() as connection:
        workers = count_workers(connection)
    if not current().feed.is_following:
        return problem(503, "The database answers, but live events are not followed yet.", headers={"Retry-After": "1"})
    return {"status": "ready", "workers": workers}
