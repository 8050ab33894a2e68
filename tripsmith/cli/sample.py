"""The command `sample`: example trips as CSV."""

from pathlib import Path
from typing import BinaryIO, cast

import click

from tripsmith.sample.generator import write_sample


@click.command()
@click.option("--rows", required=True, type=click.IntRange(0))
@click.option("--seed", default=1, type=click.IntRange(0))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
def sample(rows: int, seed: int, output: Path) -> None:
    """Write made-up but realistic trips; the same seed gives the same bytes."""
    with click.open_file(str(output), "wb") as file:
        write_sample(cast(BinaryIO, file), rows, seed)
