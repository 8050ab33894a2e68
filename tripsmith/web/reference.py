"""The API's reference at /api/docs and its OpenAPI document, all from this host: it works without a network."""

from importlib.resources import files
from typing import Any, cast

from flask import Blueprint, current_app, render_template
from flask_openapi3.openapi import OpenAPI

pages = Blueprint(
    "reference",
    __name__,
    url_prefix="/api",
    template_folder="templates",
    static_folder=str(files("flask_openapi3_swagger").joinpath("templates/swagger")),
    static_url_path="/docs/assets",
)


@pages.get("/docs")
def show_reference() -> str:
    """Show the reference."""
    return render_template("reference.html")


@pages.get("/openapi.json")
def show_openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    document = cast(dict[str, Any], cast(OpenAPI, current_app).api_doc)
    # For all operations at once: without a token, where there is none, or with one.
    return {**document, "security": [{}, {"token": []}]}
