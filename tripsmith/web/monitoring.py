"""Figures for Prometheus at /metrics: ingestions, rows, live clients, and how long requests take."""

import time
from collections.abc import Callable, Iterator

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tripsmith.ingestion.ingestion import count_ingestions
from tripsmith.warehouse.database import Warehouse

# Answers are meant to take a tenth of a second; uploads and old questions may take minutes.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, float("inf"))
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def register(app: Flask, warehouse: Warehouse, count_clients: Callable[[], int]) -> None:
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

    @app.before_request
    def begin() -> None:
        g.begun_at = time.perf_counter()

    @app.after_request
    def observe(response: Response) -> Response:
        # The rule, not the path: a series for every ingestion would never end.
        route = request.url_rule.rule if request.url_rule else "unknown"
        if "begun_at" in g:
            labels = (request.method, route, str(response.status_code))
            seconds.labels(*labels).observe(time.perf_counter() - g.begun_at)
        return response

    def show_figures() -> Response:
        return Response(generate_latest(registry), content_type=_CONTENT_TYPE)

    # Not by app.get, which would put a page that is no JSON into the API's document.
    app.add_url_rule("/metrics", "figures", show_figures)


class _WarehouseCollector(Collector):
    """What the database knows, asked at every scrape: the same from any process."""

    def __init__(self, warehouse: Warehouse, count_clients: Callable[[], int]) -> None:
        self._warehouse = warehouse
        self._count_clients = count_clients

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._warehouse.connect() as connection:
            counts = count_ingestions(connection)
        ingestions = GaugeMetricFamily("tripsmith_ingestions", "Ingestions by state.", labels=["state"])
        rows = GaugeMetricFamily("tripsmith_rows", "Rows in the warehouse, by what became of them.", labels=["outcome"])
        size = GaugeMetricFamily("tripsmith_source_bytes", "Bytes of the files that are in the warehouse.")
        clients = GaugeMetricFamily("tripsmith_live_clients", "Socket.IO clients that watch ingestions.")
        for state, number in counts.by_state.items():
            ingestions.add_metric([state], number)
        rows.add_metric(["loaded"], counts.rows_loaded)
        rows.add_metric(["rejected"], counts.rows_rejected)
        size.add_metric([], counts.source_bytes)
        clients.add_metric([], self._count_clients())
        yield from (ingestions, rows, size, clients)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name nothing: a registry would otherwise collect, and so ask the database, to learn the names."""
        return iter(())
