"""The commands that serve: `serve` and `demo`.

What serves is imported where it is used: `tripsmith --help`, which loads all commands, should not wait for Flask.
"""

from collections.abc import Callable
from pathlib import Path

import click

from tripsmith.cli.options import settings_with
from tripsmith.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of the embedded database.")
@click.option("--workers", type=click.IntRange(0, 64), help="How many workers to start; 0 for none.")
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int | None, data_dir: Path | None, workers: int | None) -> None:
    """Serve the dashboard, the API and live events, with one worker by default."""
    from tripsmith.serve import serve as run_server

    _serving(lambda: run_server(settings_with(settings, host=host, port=port, data_dir=data_dir, workers=workers)))


@click.command()
@click.option("--rows", default=200_000, type=click.IntRange(1), help="How many example trips.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--once", is_flag=True, help="Print the answers and end, without serving.")
@click.pass_obj
def demo(settings: Settings, rows: int, port: int | None, once: bool) -> None:
    """Ingest example trips, print answers and start the server."""
    from tripsmith.cli.demo import run_demo

    _serving(lambda: run_demo(settings_with(settings, port=port), rows, serve_after=not once))


def _serving(action: Callable[[], None]) -> None:
    from tripsmith.serve import ServeError

    try:
        action()
    except ServeError as error:
        raise click.ClickException(str(error)) from None
