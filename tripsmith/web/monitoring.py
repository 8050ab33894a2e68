"""Figures for Prometheus at /metrics: ingestions and their phases, the queue, live clients, how long requests take."""

import logging
import time
from collections.abc import Callable, Iterator

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tripsmith.ingestion.ingestion import Ingestion, Phase, count_ingestions
from tripsmith.ingestion.worker import count_workers
from tripsmith.warehouse.database import Warehouse
from tripsmith.web.live.feed import IngestionFeed

# Answers are meant to take a tenth of a second; uploads and old questions may take minutes.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, float("inf"))
# A file may be through a phase at once, or be at it for an hour.
_PHASE_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, float("inf"))
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


logger = logging.getLogger(__name__)


def register(app: Flask, warehouse: Warehouse, feed: IngestionFeed, count_clients: Callable[[], int]) -> None:
    """Time every request of an application, and answer GET /metrics; `count_clients` tells how many watch live."""
    registry = CollectorRegistry()
    seconds = Histogram(
        "tripsmith_request_seconds",
        "How long requests took, by route and status.",
        ("method", "route", "status"),
        buckets=_BUCKETS,
        registry=registry,
    )
    registry.register(_WarehouseCollector(warehouse, count_clients))
    feed.subscribe(_PhaseClock(registry).changed)

    @app.before_request
    def begin() -> None:
        g.begun_at = time.perf_counter()

    @app.after_request
    def observe(response: Response) -> Response:
        # The rule, not the path: a series for every ingestion would never end.
        route = request.url_rule.rule if request.url_rule else "unknown"
        if "begun_at" in g:
            labels = (request.method, route, str(response.status_code))
            took = time.perf_counter() - g.begun_at
            seconds.labels(*labels).observe(took)
            said = {"method": request.method, "path": request.path, "status": response.status_code, "seconds": took}
            logger.info("%s %s %s", request.method, request.path, response.status_code, extra=said)
        return response

    def show_figures() -> Response:
        return Response(generate_latest(registry), content_type=_CONTENT_TYPE)

    # Not by app.get, which would put a page that is no JSON into the API's document.
    app.add_url_rule("/metrics", "figures", show_figures)


class _PhaseClock:
    """Times the phases of ingestions from the changes that come here, whoever works on them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "tripsmith_phase_seconds",
            "How long ingestions were in a phase, as seen from here.",
            ("phase",),
            buckets=_PHASE_BUCKETS,
            registry=registry,
        )
        self._entered: dict[str, tuple[Phase, float]] = {}

    def changed(self, previous: Ingestion | None, ingestion: Ingestion) -> None:
        """Note a phase that was entered, and how long the one before took; one under way when we began is not told."""
        now = time.monotonic()
        phase = ingestion.phase if ingestion.state == "running" else None
        before = self._entered.get(ingestion.id)
        if before is not None and before[0] != phase:
            if ingestion.state in ("running", "succeeded"):
                self._seconds.labels(before[0]).observe(now - before[1])
            del self._entered[ingestion.id]
        if phase is not None and ingestion.id not in self._entered and previous is not ingestion:
            self._entered[ingestion.id] = (phase, now)


class _WarehouseCollector(Collector):
    """What the database knows, asked at every scrape: the same from any process."""

    def __init__(self, warehouse: Warehouse, count_clients: Callable[[], int]) -> None:
        self._warehouse = warehouse
        self._count_clients = count_clients

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._warehouse.connect() as connection:
            counts, count = count_ingestions(connection), count_workers(connection)
        ingestions = GaugeMetricFamily("tripsmith_ingestions", "Ingestions by state.", labels=["state"])
        rows = GaugeMetricFamily("tripsmith_rows", "Rows in the warehouse, by what became of them.", labels=["outcome"])
        size = GaugeMetricFamily("tripsmith_source_bytes", "Bytes of the files that are in the warehouse.")
        clients = GaugeMetricFamily("tripsmith_live_clients", "Socket.IO clients that watch ingestions.")
        queue = GaugeMetricFamily("tripsmith_queue_depth", "Ingestions that wait for a worker.")
        wait = GaugeMetricFamily("tripsmith_queue_oldest_seconds", "How long the first of them was sent ago.")
        workers = GaugeMetricFamily("tripsmith_workers", "Workers, on all machines.")
        for state, number in counts.by_state.items():
            ingestions.add_metric([state], number)
        rows.add_metric(["loaded"], counts.rows_loaded)
        rows.add_metric(["rejected"], counts.rows_rejected)
        size.add_metric([], counts.source_bytes)
        clients.add_metric([], self._count_clients())
        queue.add_metric([], counts.by_state["queued"])
        wait.add_metric([], counts.oldest_wait_seconds)
        workers.add_metric([], count)
        yield from (ingestions, rows, size, clients, queue, wait, workers)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name nothing: a registry would otherwise collect, and so ask the database, to learn the names."""
        return iter(())
