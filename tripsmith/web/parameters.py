"""The parameters of a request: what is not known here, or given twice, is refused and never ignored."""

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flask import Flask, current_app, request
from pydantic import TypeAdapter, ValidationError

from tripsmith.geometry.errors import BadQuestionError
from tripsmith.ingestion.submission import Options

# By name, so that an option that is added to Options is accepted wherever options are.
OPTION_NAMES = tuple(field.name for field in fields(Options))

_options: TypeAdapter[Options] = TypeAdapter(Options)


def read_options(given: Mapping[str, Any]) -> Options:
    """Return the options among named values, most of them text. Raises BadQuestionError for a value that is none."""
    try:
        return _options.validate_python({name: given[name] for name in OPTION_NAMES if given.get(name) is not None})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = str(fault["loc"][0]) if fault["loc"] else "options"
        raise BadQuestionError(name, f"{name} is {fault['input']!r}: {fault['msg'].lower()}.") from error


def register(app: Flask) -> None:
    """Have the query of every request to version 1 of the API checked before anything is done for it."""
    app.before_request(_check_query)


def _check_query() -> None:
    if not request.path.startswith("/api/v1/") or request.endpoint is None or not request.args:
        return
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadQuestionError(name, f"{name} is given {len(values)} times; give it once.")
    if "query" not in inspect.signature(current_app.view_functions[request.endpoint]).parameters:
        name = next(iter(request.args))
        raise BadQuestionError(name, f"There is no parameter {name!r} here: {request.path} takes none in its address.")
