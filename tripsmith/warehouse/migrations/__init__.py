"""Migrations: .sql files in this folder, applied in the order of their numbers, each once."""

from importlib.resources import files
from typing import Any

from psycopg import Connection

from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries(__package__, "ledger.sql")


def migrate(connection: Connection[Any]) -> list[str]:
    """Apply the migrations that this database has not seen; return their names.

    All of them commit together, under an advisory lock: processes that start at once wait for one another.
    """
    with connection.transaction():
        connection.execute(QUERIES["lock"])
        connection.execute(QUERIES["create_ledger"])
        applied = {name for (name,) in connection.execute(QUERIES["list_applied"])}
        pending = [name for name in names() if name not in applied]
        for name in pending:
            text = files(__package__).joinpath(name).read_text(encoding="utf-8")
            connection.execute(text)
            connection.execute(QUERIES["record_applied"], {"name": name})
    return pending


def names() -> list[str]:
    """Return the names of all migrations, in order."""
    found = (entry.name for entry in files(__package__).iterdir())
    return sorted(name for name in found if name.endswith(".sql") and name[0].isdigit())
