"""Problem details (RFC 9457): every error of the API says what was wrong, with what, and what would be right."""

import errno
import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import psycopg
from flask import Flask, Response, request
from flask_openapi3.types import ResponseDict
from gunicorn.http.errors import ParseException
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from tripsmith.access.tokens import AccessError
from tripsmith.answers.errors import UnknownNameError
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.ingestion.ingestion import IngestionConflictError, IngestionNotFoundError
from tripsmith.ingestion.submission import BadFileError
from tripsmith.warehouse.database import WarehouseError

MEDIA_TYPE = "application/problem+json"

logger = logging.getLogger(__name__)


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it; `parameter` names what of the request, `near` what may have been meant."""

    type: str
    title: str
    status: int
    detail: str
    parameter: str | None = None
    near: list[str] | None = None


def problem(
    status: int,
    detail: str,
    *,
    parameter: str | None = None,
    near: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem as a response. Works without an application, too."""
    document = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        parameter=parameter,
        near=near,
    )
    body = json.dumps(document.model_dump(exclude_none=True), ensure_ascii=False) + "\n"
    return Response(body, status, headers, content_type=MEDIA_TYPE)


def problems(*statuses: int) -> ResponseDict:
    """Return the entries of these statuses in an operation's `responses`."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def describe_validation(error: ValidationError) -> Response:
    """Return the problem of parameters that do not fit their types."""
    faults = error.errors(include_url=False)
    parameter = str(faults[0]["loc"][-1]) if faults[0]["loc"] else None
    return problem(400, "; ".join(_describe_fault(fault) for fault in faults) + ".", parameter=parameter)


def _describe_fault(fault: Any) -> str:
    name = fault["loc"][-1] if fault["loc"] else "the body"
    if fault["type"] == "extra_forbidden":
        return f"There is no parameter {name!r} here, see /api/docs for those there are"
    if fault["type"] == "missing":
        return f"{name} is required"
    if not fault["loc"] and fault["input"] is None:
        return "The body must be a JSON object, sent with Content-Type: application/json"
    message = fault["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{name} is {fault['input']!r}: {message[:1].lower()}{message[1:]}"


def describe(error: Exception) -> Response:  # noqa: PLR0911  # one line a kind of error reads best
    """Return the problem that an exception is to the client; what is nobody's fault but ours is logged."""
    match error:
        case HTTPException():
            return _describe_http(error)
        case AccessError():
            return problem(error.status, str(error), headers=error.headers)
        case ParseException():
            return problem(400, "The body is not whole, or not in the form that its headers say.")
        case BadQuestionError():
            return problem(400, str(error), parameter=error.parameter)
        case BadFileError():
            return problem(400, str(error), parameter=getattr(error, "parameter", None) or "file")
        case UnknownNameError():
            return problem(404, str(error), parameter=error.parameter, near=error.near)
        case IngestionNotFoundError():
            return problem(404, str(error), parameter="id")
        case IngestionConflictError():
            return problem(409, str(error))
        case WarehouseError():
            return problem(503, str(error), headers={"Retry-After": "5"})
        case psycopg.OperationalError():
            logger.warning("the database failed: %s", str(error).strip())
            return problem(503, "The database does not answer; try again in a moment.", headers={"Retry-After": "5"})
        case OSError(errno=errno.ENOSPC):
            return problem(507, "The disk is full; nothing of this request was kept.")
        case _:
            logger.error("%s %s failed", request.method, request.path, exc_info=error)
            return problem(500, "Something went wrong in the server; its log says what.")


def _describe_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect
        return error.get_response(request.environ)  # type: ignore[return-value]
    detail = error.description or HTTPStatus(status).phrase
    headers = {}
    match error:
        case NotFound():
            detail = f"There is nothing at {request.path}; /api/docs says what there is."
        case ClientDisconnected():
            detail = "The connection was cut before the body was whole."
        case MethodNotAllowed():
            allowed = ", ".join(sorted(set(error.valid_methods or ()) - {"OPTIONS", "HEAD"}))
            detail = f"{request.path} takes {allowed}, not {request.method}."
            headers["Allow"] = allowed
        case RequestEntityTooLarge():
            detail = f"The request is too large; at most {request.max_content_length} bytes are taken here."
    return problem(status, detail, headers=headers)


def register(app: Flask) -> None:
    """Have an application answer every error with a problem."""
    app.register_error_handler(Exception, describe)
