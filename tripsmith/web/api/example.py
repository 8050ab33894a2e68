"""The resource /ingestions/example: example trips for a warehouse that has none."""

from typing import Any

import gevent
from flask import url_for
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from gevent.util import wrap_errors

from tripsmith.ingestion.submission import Submission, submit
from tripsmith.sample.example import make_example
from tripsmith.web.api import documents
from tripsmith.web.current import Current, current
from tripsmith.web.problems import problems

api = APIBlueprint(
    "example",
    __name__,
    url_prefix="/api/v1/ingestions",
    abp_tags=[Tag(name="Ingestions")],
    abp_responses=problems(400, 403, 500, 503),
)


@api.post(
    "/example",
    operation_id="createExampleIngestion",
    responses={202: documents.Ingestion, 200: documents.Ingestion, **problems(507)},
)
def create_example_ingestion() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Ingest the example trips: 200,000 made-up trips in several cities.

    Answers 202; sent again it is answered 200 with the ingestion that has them.
    """
    # A second of computing, so in a thread; errors come back as values, since gevent prints those that a thread raises.
    submitted = gevent.get_hub().threadpool.apply(wrap_errors((Exception,), _submit), (current(),))
    if isinstance(submitted, Exception):
        raise submitted
    location = url_for("ingestions.show_ingestion", id=submitted.ingestion.id)
    return submitted.ingestion.as_json(), 202 if submitted.is_new else 200, {"Location": location}


def _submit(parts: Current) -> Submission:
    path = make_example(parts.settings)
    with parts.warehouse.connect() as connection:
        return submit(connection, path, path.name)
