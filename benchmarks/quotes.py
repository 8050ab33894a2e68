"""What quotes cost: the same trips with different quotes in every row, ingested in turn.

    python -m benchmarks.quotes --rows 2000000

Prints the median seconds of each file, and its ratio to the file without quotes.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.ingest import ingest_and_remove
from tripsmith.sample.generator import write_sample
from tripsmith.settings import Settings
from tripsmith.warehouse.database import open_warehouse


def _quoted(line: bytes) -> bytes:
    return b'"' + line.replace(b",", b'","') + b'","rack"'


def _mixed(line: bytes) -> bytes:
    region, rest = line.split(b",", 1)
    return b'"%b",%b,27" wide' % (region, rest)


# Each makes a row of a row without line end; all have one column more than the sample.
FILES: dict[str, Callable[[bytes], bytes]] = {
    "no quotes": lambda line: line + b",rack",
    "every field quoted": _quoted,
    "a quote within a field": lambda line: line + b',rack 27" wide',
    "both": _mixed,
    "empty fields beyond the header": lambda line: line + b",rack,,",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tripsmith-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        seconds = measure(folder, arguments.rows, arguments.rounds)
    clean = statistics.median(seconds["no quotes"])
    for kind, taken in seconds.items():
        median = statistics.median(taken)
        print(f"{kind:<32}{median:>8.1f} s{median / clean:>8.2f} x")


def measure(folder: Path, rows: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round by kind of file."""
    sample = folder / "sample.csv"
    with sample.open("wb") as file:
        write_sample(file, rows)
    seconds: dict[str, list[float]] = {kind: [] for kind in FILES}
    settings = Settings(data_dir=folder / "data")
    with open_warehouse(settings) as warehouse:
        for number in range(rounds):
            for kind, spell in FILES.items():
                path = folder / "trips.csv"
                with sample.open("rb") as source, path.open("wb") as target:
                    target.write(next(source).rstrip() + b",note\n")
                    target.writelines(spell(line.rstrip()) + b"\n" for line in source)
                seconds[kind].append(ingest_and_remove(settings, warehouse, path)["seconds"])
                print(f"round {number + 1}: {kind} {seconds[kind][-1]:.1f} s", file=sys.stderr)
    return seconds


if __name__ == "__main__":
    main()
