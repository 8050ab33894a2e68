"""SQL kept in .sql files, read by name."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def load_queries(package: str, file_name: str) -> dict[str, LiteralString]:
    """Return the queries of a .sql file in a package, by the name in the `-- name:` line above each.

    Raises ValueError for a file that names no query, or one twice.
    """
    text = files(package).joinpath(file_name).read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    names, bodies = parts[::2], parts[1::2]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"{package}/{file_name} must name each of its queries once")
    # The text comes from our own package, never from a user: psycopg may treat it as literal.
    return {name: cast(LiteralString, body.strip()) for name, body in zip(names, bodies, strict=True)}
