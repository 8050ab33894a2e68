"""An ingestion shown on a terminal: a bar where there is one, plain lines where not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from tripsmith.ingestion.ingestion import Ingestion
from tripsmith.words import counted, printable


class Show(Protocol):
    """Takes the present state of an ingestion, whenever it changes."""

    def __call__(self, ingestion: Ingestion) -> None: ...


@contextmanager
def shown_progress() -> Iterator[Show]:
    """Yield what shows ingestions on stderr while the block runs."""
    if sys.stderr.isatty():
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[name]}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rows]:>13,} rows  {task.fields[rate]:>10}  {task.fields[phase]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        ) as progress:
            yield _Bars(progress)
    else:
        yield _Lines()


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, ingestion: Ingestion) -> None:
        fields: dict[str, Any] = {
            "name": printable(ingestion.file_name),
            "rows": ingestion.rows_read,
            "rate": f"{ingestion.rows_per_second:,.0f}/s" if ingestion.rows_per_second else "",
            "phase": ingestion.phase or ingestion.state,
        }
        if ingestion.id not in self._tasks:
            self._tasks[ingestion.id] = self._progress.add_task("", total=ingestion.bytes_total, **fields)
        self._progress.update(self._tasks[ingestion.id], completed=ingestion.bytes_done, **fields)


class _Lines:
    """A line a phase, and none in between: a log is read later."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, ingestion: Ingestion) -> None:
        stage = ingestion.phase or ingestion.state
        if self._seen.get(ingestion.id) != stage and not ingestion.is_finished:
            self._seen[ingestion.id] = stage
            rows = counted(ingestion.rows_read, "row")
            print(f"{printable(ingestion.file_name)}: {stage}, {rows}", file=sys.stderr)
