"""DuckDB making the three layers in a file of its own; a process apart, so that its memory is not taken for ours."""

import os
import sys
from importlib.resources import files

import duckdb


def main() -> None:
    source, target = sys.argv[1:]
    script = files("benchmarks").joinpath("duckdb.sql").read_text()
    with duckdb.connect(target, config={"threads": os.cpu_count() or 1}) as connection:
        connection.execute(script.replace("{source}", source))


if __name__ == "__main__":
    main()
