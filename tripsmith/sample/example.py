"""The example trips: made once, kept in the data folder, for the demonstration and for whoever has no file at hand."""

from pathlib import Path

from tripsmith.sample.generator import write_sample
from tripsmith.settings import Settings

EXAMPLE_ROWS = 200_000


def example_path(settings: Settings, rows: int = EXAMPLE_ROWS) -> Path:
    """Return where so many example trips lie, or will lie."""
    return settings.data_dir / "examples" / f"trips-{rows}.csv"


def make_example(settings: Settings, rows: int = EXAMPLE_ROWS) -> Path:
    """Return the file of so many example trips, made now unless it is there."""
    path = example_path(settings, rows)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            write_sample(file, rows)
        partial.rename(path)
    return path
