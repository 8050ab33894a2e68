"""The resource /ingestions: send a file, see what became of it, cancel, retry and remove it."""

from collections.abc import Iterator
from typing import Any

from flask import Response, url_for
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from tripsmith.geometry.errors import BadQuestionError
from tripsmith.ingestion import submission
from tripsmith.ingestion.ingestion import RejectedRow, get_ingestion, list_ingestions
from tripsmith.warehouse.database import Warehouse
from tripsmith.web.api import documents
from tripsmith.web.current import current
from tripsmith.web.parameters import OPTION_NAMES, read_options
from tripsmith.web.problems import problems
from tripsmith.web.uploads.upload import receive

api = APIBlueprint(
    "ingestions",
    __name__,
    url_prefix="/api/v1/ingestions",
    abp_tags=[Tag(name="Ingestions", description="Files on their way through the layers")],
    abp_responses=problems(400, 401, 403, 500, 503),
)

MAX_LIMIT = 1000

_UPLOAD_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "contentMediaType": "text/csv", "format": "binary"}},
            }
        },
        "text/csv": {"schema": {"type": "string"}},
    },
}


class UploadQuery(BaseModel):
    """How the file that is sent is to be read."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, description="Name to show; by default the one that the form gives.")
    format: str | None = Field(None, description="Format of the file; by default the one that its header fits.")
    region: str | None = Field(None, description="Region of all of its trips, for a file without such a column.")
    datasource: str | None = Field(
        None, description="Data source of all of its trips, for a file without such a column."
    )
    encoding: str | None = Field(None, description="Encoding of the file; by default UTF-8.")
    override_region: str | None = Field(None, description="Region that replaces those of the file in every row.")
    override_datasource: str | None = Field(
        None, description="Data source that replaces those of the file in every row."
    )
    max_rejected: str | None = Field(
        None,
        description="How many rows may be rejected before the whole file fails: a number such as 100, or a share of the"
        " rows such as 5%; by default TRIPSMITH_MAX_REJECTED.",
    )
    refuse_overlap: bool | None = Field(
        None,
        description="Fail where most rows are in the warehouse already by another file, instead of noting it; by"
        " default TRIPSMITH_REFUSE_OVERLAP.",
    )


class PageQuery(BaseModel):
    """A page of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, description=f"How many to return, 1 to {MAX_LIMIT}.")
    cursor: str | None = Field(None, description="`next` of the page before.")


class IngestionPath(BaseModel):
    """Which ingestion."""

    id: str = Field(description="Id of the ingestion.")


@api.post(
    "",
    operation_id="createIngestion",
    responses={202: documents.Ingestion, 200: documents.Ingestion, **problems(408, 409, 413, 415, 507)},
    openapi_extensions={"requestBody": _UPLOAD_BODY},
)
def create_ingestion(query: UploadQuery) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Send a CSV file.

    Answers 202 as soon as the file has arrived; its way through the layers is then seen live. The same content sent
    again is answered 200 with the ingestion that has it. The parameters may also be fields of the form.
    """
    upload = receive(query.name, OPTION_NAMES)
    submitted = upload.submit(read_options(query.model_dump(exclude_none=True) | upload.fields))
    location = url_for("ingestions.show_ingestion", id=submitted.ingestion.id)
    return submitted.ingestion.as_json(), 202 if submitted.is_new else 200, {"Location": location}


@api.get("", operation_id="listIngestions", responses={200: documents.IngestionPage})
def list_page(query: PageQuery) -> dict[str, Any]:
    """List ingestions, newest first."""
    if not 1 <= query.limit <= MAX_LIMIT:
        raise BadQuestionError("limit", f"limit is {query.limit}; it must lie between 1 and {MAX_LIMIT}.")
    before = _parse_cursor(query.cursor)
    with current().warehouse.connect() as connection:
        found = list_ingestions(connection, limit=query.limit + 1, before=before)
    page = found[: query.limit]
    return {
        "ingestions": [ingestion.as_json() for ingestion in page],
        "next": page[-1].id if len(found) > query.limit else None,
    }


@api.get("/<id>", operation_id="getIngestion", responses={200: documents.Ingestion, **problems(404)})
def show_ingestion(path: IngestionPath) -> dict[str, Any]:
    """Show an ingestion."""
    with current().warehouse.connect() as connection:
        return get_ingestion(connection, path.id).as_json()


@api.get(
    "/<id>/rejections",
    operation_id="listRejections",
    responses={
        200: {
            "description": "CSV: line, reasons, record, file",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **problems(404),
    },
)
def list_rejections(path: IngestionPath) -> Response:
    """Download the rejected rows as CSV: the line, the reasons, the record byte for byte, and the file that it is in.

    `file` names the member of an archive, and the line is that of the member; it is empty where the file is no archive.
    """
    warehouse = current().warehouse
    with warehouse.connect() as connection:
        found = get_ingestion(connection, path.id)
    disposition = f'attachment; filename="ingestion-{found.id}-rejections.csv"'
    return Response(
        _rejections_csv(warehouse, found.id), mimetype="text/csv", headers={"Content-Disposition": disposition}
    )


@api.post("/<id>/cancel", operation_id="cancelIngestion", responses={200: documents.Ingestion, **problems(404, 409)})
def cancel_ingestion(path: IngestionPath) -> dict[str, Any]:
    """Cancel an ingestion that is queued or running; what it has loaded is kept for a retry."""
    with current().warehouse.connect() as connection:
        return submission.cancel(connection, path.id).as_json()


@api.post("/<id>/retry", operation_id="retryIngestion", responses={202: documents.Ingestion, **problems(404, 409)})
def retry_ingestion(path: IngestionPath) -> tuple[dict[str, Any], int]:
    """Queue an ingestion that failed or was cancelled again; it goes on where it stopped."""
    with current().warehouse.connect() as connection:
        return submission.retry(connection, path.id).as_json(), 202


@api.delete("/<id>", operation_id="removeIngestion", responses={200: documents.Ingestion, **problems(404, 409)})
def remove_ingestion(path: IngestionPath) -> dict[str, Any]:
    """Remove an ingestion: its rows leave all three layers."""
    with current().warehouse.connect() as connection:
        return submission.remove(connection, path.id).as_json()


def _parse_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise BadQuestionError("cursor", f"{cursor!r} is not a cursor; take it from `next` of the page before.")
    return int(cursor)


def _rejections_csv(warehouse: Warehouse, ingestion_id: str) -> Iterator[bytes]:
    yield b"line,reasons,record,file\r\n"
    with warehouse.connect() as connection:
        for row in submission.rejections(connection, ingestion_id):
            yield _rejection_line(row)


def _rejection_line(row: RejectedRow) -> bytes:
    # By hand and in bytes: a record that is not UTF-8 must come out as it went in.
    fields = ("; ".join(row.reasons).encode(), row.record, row.file.encode())
    reasons, record, file = (field.replace(b'"', b'""') for field in fields)
    return b'%d,"%s","%s","%s"\r\n' % (row.line, reasons, record, file)
