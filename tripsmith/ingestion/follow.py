"""An ingestion seen to its end: run here, or followed where another process runs it."""

import threading
from collections.abc import Callable, Sequence
from itertools import chain

from tripsmith.ingestion.ingestion import Ingestion, get_ingestion
from tripsmith.ingestion.notifications import EVERYTHING, listen
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import cancel
from tripsmith.sources.chunks import Chunk
from tripsmith.warehouse.database import Warehouse


def carry(
    warehouse: Warehouse,
    ingestion_id: int,
    on_change: Callable[[Ingestion], None],
    interrupted: threading.Event | None = None,
    chunks: Sequence[Chunk] = (),
) -> Ingestion:
    """Run an ingestion, or follow it while another process does and take over should that die; return it at its end.

    Setting `interrupted` asks for it to be cancelled. `chunks` are those of its file, where it has been cut already.
    """

    def tell(ingestion: Ingestion) -> None:
        on_change(ingestion)
        if interrupted and interrupted.is_set() and not ingestion.is_finished:
            interrupted.clear()
            with warehouse.connect() as connection:
                cancel(connection, ingestion_id)

    # Tried before listening, which takes a connection of its own: most often nobody else is at it.
    for changed in chain((EVERYTHING,), listen(warehouse.conninfo)):
        if changed is None or changed == EVERYTHING:
            ended = run_ingestion(warehouse, ingestion_id, tell, chunks)
            if ended is not None:
                return ended
        with warehouse.connect() as connection:
            present = get_ingestion(connection, ingestion_id)
        tell(present)
        if present.is_finished:
            return present
    raise AssertionError("listen() does not end")


def follow(warehouse: Warehouse, ingestion_id: str, on_change: Callable[[Ingestion], None]) -> Ingestion:
    """Watch an ingestion that another process runs, or will run, to its end; return it as it is then.

    Raises IngestionNotFoundError where there is none.
    """
    for changed in listen(warehouse.conninfo):
        if changed not in (EVERYTHING, ingestion_id):
            continue
        with warehouse.connect() as connection:
            present = get_ingestion(connection, ingestion_id)
        on_change(present)
        if present.is_finished:
            return present
    raise AssertionError("listen() does not end")
