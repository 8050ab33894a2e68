"""How fast a CSV becomes three layers, beside what else a user could pick, in one run on one machine.

    python -m benchmarks.ingest --rows 10000000

Tripsmith, psql's \\copy into one text table of the same server, DuckDB making the same three layers with as many
threads, and row-by-row INSERT (on a tenth of a percent of the rows, scaled) take turns, `--rounds` times. Prints
medians and ratios, and writes benchmarks/results/ingest-<rows>.json and .png.
"""

import argparse
import csv
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from psycopg import sql

from benchmarks.chart import keep_results
from tripsmith.sample.generator import write_sample
from tripsmith.settings import Settings
from tripsmith.warehouse.database import Warehouse, open_warehouse
from tripsmith.warehouse.queries import load_queries
from tripsmith.warehouse.server import binary

QUERIES = load_queries("benchmarks", "ingest.sql")
INSERTED_SHARE = 0.001


@dataclass
class Peer:
    """One way of loading: a function that takes the file and returns details, and the seconds of each round."""

    name: str
    load: Callable[[], dict[str, Any]]
    seconds: list[float] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def run(self, scale: float = 1.0) -> None:
        started = time.monotonic()
        self.details = self.load()
        self.seconds.append(self.details.pop("seconds", time.monotonic() - started) * scale)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="Where the file and the databases are made (a new folder by default).")
    parser.add_argument("--without", nargs="*", default=[], help="Peers to leave out: copy, duckdb, insert.")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tripsmith-bench-", dir=arguments.dir))
    folder.chmod(0o755)
    try:
        report = measure(folder, arguments.rows, arguments.rounds, set(arguments.without))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    write_report(report)


def measure(folder: Path, rows: int, rounds: int, without: set[str]) -> dict[str, Any]:
    """Run every peer `rounds` times, in turn; return all figures."""
    source = folder / "trips.csv"
    print(f"making {rows:,} trips", file=sys.stderr)
    with source.open("wb") as file:
        write_sample(file, rows)
    settings = Settings(data_dir=folder / "data")
    with open_warehouse(settings) as warehouse:
        peers = [
            Peer("Tripsmith, three layers", lambda: ingest_and_remove(settings, warehouse, source)),
            Peer("psql \\copy, one text table", lambda: _copy(warehouse, source)),
            Peer("DuckDB, three layers", lambda: _duckdb(folder, source)),
            Peer("row-by-row INSERT (scaled)", lambda: _insert(warehouse, source, max(1, int(rows * INSERTED_SHARE)))),
        ]
        keys = ("tripsmith", "copy", "duckdb", "insert")
        peers = [peer for peer, key in zip(peers, keys, strict=True) if key not in without]
        for number in range(rounds):
            for peer in peers:
                peer.run(rows / max(1, int(rows * INSERTED_SHARE)) if "INSERT" in peer.name else 1.0)
                print(f"round {number + 1}: {peer.name} {peer.seconds[-1]:.1f} s", file=sys.stderr)
    return {
        "rows": rows,
        "bytes": source.stat().st_size,
        "machine": f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 1e9:.0f} GB, {platform.machine()}",
        "load_before": os.getloadavg()[0],
        "peers": [
            {
                "name": peer.name,
                "seconds": peer.seconds,
                "median_seconds": peer.median,
                "rows_per_second": rows / peer.median,
                "times_of_tripsmith": peer.median / peers[0].median,
                **peer.details,
            }
            for peer in peers
        ],
    }


def write_report(report: dict[str, Any]) -> None:
    """Print the table; write the JSON and the chart."""
    print(f"{report['rows']:,} rows, {report['bytes'] / 1e9:.2f} GB, {report['machine']}")
    print(f"{'':<30}{'seconds':>10}{'rows/s':>12}{'Tripsmith is':>16}  memory, disk")
    own = report["peers"][0]["median_seconds"]
    for peer in report["peers"]:
        details = ", ".join(f"{key} {value}" for key, value in peer.items() if key.endswith("_mb"))
        print(
            f"{peer['name']:<30}{peer['median_seconds']:>10.1f}{peer['rows_per_second']:>12,.0f}"
            f"{own / peer['median_seconds']:>11.2f} x its  {details}"
        )
    keep_results(
        f"ingest-{report['rows']}",
        report,
        f"CSV to database, {report['rows']:,} rows ({report['machine']})",
        "rows a second",
        [(peer["name"], peer["rows_per_second"]) for peer in report["peers"]],
    )


def ingest_and_remove(settings: Settings, warehouse: Warehouse, source: Path) -> dict[str, Any]:
    """Ingest a file by the command line, then remove it; return the seconds of the former and sizes in MB."""
    environment = {**os.environ, "TRIPSMITH_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "tripsmith", "ingest", str(source), "--json"]
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"tripsmith ingest failed: {output.decode()}")
    (ingestion,) = json.loads(output)["ingestions"]
    with warehouse.connect() as connection:
        sizes: dict[str, int] = dict(connection.execute(QUERIES["layer_sizes"]).fetchall())
        connection.execute("CHECKPOINT")
    remove = [sys.executable, "-m", "tripsmith", "ingestions", "remove", ingestion["id"]]
    subprocess.run(remove, env=environment, check=True, stdout=subprocess.DEVNULL)
    return {
        "seconds": seconds,
        "python_mb": round(usage.ru_maxrss / 1024),
        **{f"{layer}_mb": round(size / 1e6) for layer, size in sizes.items()},
    }


def _copy(warehouse: Warehouse, source: Path) -> dict[str, Any]:
    with warehouse.connect() as connection:
        connection.execute(QUERIES["make_text_table"])
        copy = f"\\copy public.copied FROM '{source}' (FORMAT csv, HEADER)"
        started = time.monotonic()
        subprocess.run(
            [str(binary("psql")), "-X", warehouse.conninfo, "-c", copy], check=True, stdout=subprocess.DEVNULL
        )
        seconds = time.monotonic() - started
        row = connection.execute(QUERIES["text_table_size"]).fetchone()
        connection.execute(QUERIES["drop_text_table"])
        connection.execute("CHECKPOINT")
    return {"seconds": seconds, "table_mb": round(row[0] / 1e6) if row else 0}


def _duckdb(folder: Path, source: Path) -> dict[str, Any]:
    path = folder / "trips.duckdb"
    path.unlink(missing_ok=True)
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "benchmarks.duckdb_layers", str(source), str(path)], check=True)
    seconds = time.monotonic() - started
    size = path.stat().st_size
    path.unlink()
    return {"seconds": seconds, "file_mb": round(size / 1e6)}


def _insert(warehouse: Warehouse, source: Path, rows: int) -> dict[str, Any]:
    with warehouse.connect() as connection, source.open(newline="") as file:
        connection.execute(QUERIES["make_text_table"])
        lines = csv.reader(file)
        next(lines)
        statement = sql.SQL(QUERIES["insert_row"])
        started = time.monotonic()
        for _, line in zip(range(rows), lines, strict=False):
            connection.execute(statement, line)
        seconds = time.monotonic() - started
        connection.execute(QUERIES["drop_text_table"])
    return {"seconds": seconds}


if __name__ == "__main__":
    main()
