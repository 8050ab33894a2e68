"""Prints the API's OpenAPI document, from which the dashboard's types are made: python -m tripsmith.web.openapi."""

import json
from typing import Any

from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse
from tripsmith.web.application import create_app


def openapi_document() -> dict[str, Any]:
    """Return the document as the API gives it; no database is needed for it."""
    app, _ = create_app(Settings(), Warehouse(""))
    document: dict[str, Any] = app.test_client().get("/api/openapi.json").get_json()
    return document


if __name__ == "__main__":
    print(json.dumps(openapi_document(), indent=1, ensure_ascii=False))
