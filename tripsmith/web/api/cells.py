"""The resource /cells: how many trips start or end in each cell in view, for a heat map."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from tripsmith.answers.cells import MAX_ZOOM, MIN_ZOOM, cell_counts
from tripsmith.web.api import documents
from tripsmith.web.api.selection_query import SelectionQuery, WholeNumber, check_address
from tripsmith.web.current import current
from tripsmith.web.problems import problems

api = APIBlueprint(
    "cells",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Answers")],
    abp_responses=problems(400, 401, 403, 404, 500, 503),
)
api.before_request(check_address)


class CellQuery(SelectionQuery):
    """The view, as `bbox`, and the trips meant; `match` is origin or destination."""

    zoom: WholeNumber = Field(13, description=f"Zoom of the cells, {MIN_ZOOM} to {MAX_ZOOM}.")


@api.get("/cells", operation_id="listCells", responses={200: documents.CellCounts})
def list_cells(query: CellQuery) -> dict[str, Any]:
    """Ask for the trips of each cell that the box touches, most trips first."""
    selection = query.selection()
    with current().warehouse.connect() as connection:
        return cell_counts(connection, selection, zoom=query.zoom).as_json()
