"""Changes of ingestions as they happen, in any process, through PostgreSQL's LISTEN and NOTIFY."""

import time
from collections.abc import Iterator

import psycopg

CHANNEL = "tripsmith_ingestion"
EVERYTHING = "*"

_QUIET_SECONDS = 1.0


def listen(conninfo: str, name: str = "tripsmith listener") -> Iterator[str | None]:
    """Yield the id of each ingestion that changes, and None after about a second of quiet; never ends by itself.

    Yields EVERYTHING first and whenever changes may have been missed, the connection having been lost: read all again.
    `name` is what the server's list of connections shows.
    """
    while True:
        try:
            with psycopg.connect(conninfo, autocommit=True, application_name=name) as connection:
                connection.execute("LISTEN tripsmith_ingestion")
                yield EVERYTHING
                while True:
                    quiet = True
                    for notification in connection.notifies(timeout=_QUIET_SECONDS, stop_after=1):
                        quiet = False
                        yield notification.payload
                    if quiet:
                        yield None
        except psycopg.OperationalError:
            yield None
            time.sleep(_QUIET_SECONDS)
