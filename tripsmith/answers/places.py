"""Trips by place, as gold's segments have them, and silver for what has no segment yet; all as of one moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, sql

from tripsmith.answers.selection import ALL_WEEKDAYS, Names, Selection
from tripsmith.geometry.cover import Place, Tiles, classify
from tripsmith.geometry.shape import Flags, Floats, Shape
from tripsmith.warehouse.bronze.table import SHARED
from tripsmith.warehouse.gold.segment import TRIP_ZOOM, WEEK_ZOOMS, End
from tripsmith.warehouse.queries import load_queries

QUERIES = load_queries("tripsmith.answers", "places.sql")

EPOCH = date(1970, 1, 1)

DayHours = NDArray[np.int32]

# So many rows of packed trips are fetched at once, each of a few thousand trips in a full warehouse.
_ROWS_AT_ONCE = 200

# A row of binary COPY: the number of fields, then each with its length before it; none is ever null here.
# https://www.postgresql.org/docs/current/sql-copy.html
_COPIED = np.dtype(
    [("fields", ">i2")]
    + [field for name in ("lon", "lat", "other_lon", "other_lat") for field in ((f"{name}_size", ">i4"), (name, ">f8"))]
    + [("hour_size", ">i4"), ("hour", ">i4")]
)
_COPY_HEADER_BYTES = 19
_BYTES_AT_ONCE = 4 << 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is to read: segments by number, and the condition on silver.trip of trips in none (None: all are)."""

    segments: list[int]
    without_segment: sql.Composable | None


@dataclass(frozen=True, slots=True)
class Trips:
    """Some trips: the ends that were asked for as arrays of longitude and latitude, shape (n, 2), and days and hours.

    `points` is the end that the trips were looked up by, `others` the other one. `day_hours` are days since 1970-01-01
    times 32 plus the hour.
    """

    points: Floats | None
    others: Floats | None
    day_hours: DayHours

    def where(self, kept: Flags) -> "Trips":
        """Return the trips where `kept` is true."""
        return Trips(
            self.points[kept] if self.points is not None else None,
            self.others[kept] if self.others is not None else None,
            self.day_hours[kept],
        )

    def turned(self) -> "Trips":
        """Return the trips with points and others exchanged."""
        return Trips(self.others, self.points, self.day_hours)

    @property
    def hours(self) -> DayHours:
        """Hours of the local day."""
        return self.day_hours & 31


@contextmanager
def snapshot(connection: Connection[Any]) -> Iterator[Snapshot]:
    """Yield what there is to read, within a transaction that sees the warehouse as of one moment."""
    with connection.transaction():
        connection.execute(QUERIES["one_snapshot"])
        connection.execute(QUERIES["keep_partitions"])
        segments = [segment for (segment,) in connection.execute(QUERIES["list_segments"])]
        waiting = connection.execute(QUERIES["list_without_segment"]).fetchall()
        yield Snapshot(segments, _of_ingestions(waiting) if waiting else None)


def _of_ingestions(waiting: list[tuple[int, int]]) -> sql.Composable:
    """Return the condition on silver.trip of these ingestions (id, lot), with literals for the planner to see."""
    lots = [lot for _, lot in waiting if lot != SHARED]
    small = [ingestion_id for ingestion_id, lot in waiting if lot == SHARED]
    parts = []
    if lots:
        parts.append(sql.SQL("trip.lot IN ({})").format(sql.SQL(", ").join(map(sql.Literal, lots))))
    if small:
        ids = sql.Literal(small)
        parts.append(sql.SQL("(trip.lot = 0 AND trip.ingestion_id = ANY({}))").format(ids))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(parts))


@dataclass(frozen=True, slots=True)
class Step:
    """Cells of one zoom on the way down: those that lie in the shape, those on its edge, and their parents."""

    zoom: int
    parents: list[int]
    inside: Tiles
    edge: Tiles


class Places:
    """Trips of some segments, by where one of their ends lies."""

    def __init__(self, connection: Connection[Any], segments: list[int], names: Names) -> None:
        self._connection = connection
        self._segments, self._names = segments, names
        region_ids = None if names.region_id is None else [names.region_id]
        self.parameters = {"segments": segments, "region_ids": region_ids, "datasource_id": names.datasource_id}

    def of_regions(self, region_ids: list[int]) -> "Places":
        """Return the same places, with the trips of these regions only."""
        places = Places(self._connection, self._segments, self._names)
        places.parameters["region_ids"] = region_ids
        return places

    def descend(self, end: End, shape: Shape, *, whole_until: int = TRIP_ZOOM) -> Iterator[Step]:
        """Yield the cells of a shape, zoom by zoom, from the coarsest to that of single trips.

        Each zoom looks into the cells on the edge of the one before, and, beyond the zoom `whole_until`, into those
        inside as well: with 0, the last step has all trips of the shape.
        """
        parents: list[int] | None = None
        for zoom in (*WEEK_ZOOMS, TRIP_ZOOM):
            if parents == []:
                return
            cells = self.cells(end, zoom, parents)
            places = classify(shape, cells, zoom)
            inside, edge = cells[places == Place.INSIDE], cells[places == Place.EDGE]
            yield Step(zoom, [0] if parents is None else parents, inside, edge)
            parents = (edge if zoom <= whole_until else np.concatenate([inside, edge])).tolist()

    def regions(self, end: End, shape: Shape) -> dict[Place, list[int]]:
        """Return the regions whose trips all have this end in the shape, all outside, or, as far as known, some."""
        zoom = WEEK_ZOOMS[1]
        rows = self._connection.execute(_of_end("region_cells", end), {**self.parameters, "zoom": zoom}).fetchall()
        places = classify(shape, np.array([cell for _, cell in rows], dtype=np.int64), zoom)
        seen: dict[int, set[int]] = {}
        for (region_id, _), place in zip(rows, places.tolist(), strict=True):
            seen.setdefault(region_id, set()).add(place)
        regions: dict[Place, list[int]] = {place: [] for place in Place}
        for region_id, found in seen.items():
            regions[Place(found.pop()) if len(found) == 1 else Place.EDGE].append(region_id)
        return regions

    def sum_weeks(self, end: End, step: Step) -> Iterator[tuple[int, int]]:
        """Yield day (since 1970-01-01) and trips of the cells inside, a step of weeks that is."""
        if not len(step.inside):
            return
        parameters = {**self.parameters, "zoom": step.zoom, "parents": step.parents, "cells": step.inside.tolist()}
        for monday, *trips in self._connection.execute(_of_end("sum_weeks", end), parameters):
            yield from ((monday + day, count) for day, count in enumerate(trips) if count)

    def read_hours(self, end: End, step: Step) -> Iterator[tuple[DayHours, DayHours]]:
        """Yield days and hours (days since 1970-01-01 times 32 plus the hour), and trips, of the cells inside."""
        if not len(step.inside):
            return
        parameters = {**self.parameters, "zoom": step.zoom, "parents": step.parents, "cells": step.inside.tolist()}
        with self._connection.cursor(binary=True) as cursor:
            for (packed,) in cursor.execute(_of_end("read_hours", end), parameters):
                pairs = unpack_hours(packed).reshape(-1, 2)
                yield pairs[:, 0], pairs[:, 1]

    def trips(self, end: End, step: Step, *, inside: bool, points: bool, others: bool) -> Iterator[Trips]:
        """Yield the trips of the cells inside, or of those on the edge, of the last step, some at a time."""
        cells = step.inside if inside else step.edge
        if not len(cells):
            return
        parameters = {
            **self.parameters,
            "parents": step.parents,
            "cells": cells.tolist(),
            "with_points": points,
            "with_others": others,
        }
        # Streamed, a city's trips do not have to be in memory at once, and the server reads while they are looked at.
        with self._connection.cursor(binary=True) as cursor:
            rows = cursor.stream(_of_end("read_trips", end), parameters, size=_ROWS_AT_ONCE)
            while some := list(islice(rows, _ROWS_AT_ONCE)):
                yield Trips(
                    _unpack_points([row[0] for row in some]) if points else None,
                    _unpack_points([row[1] for row in some]) if others else None,
                    unpack_hours(b"".join([row[2] for row in some])),
                )

    def trips_within(self, end: End, shape: Shape, *, whole_until: int = 0) -> Iterator[Trips]:
        """Yield the trips with this end in a shape, both ends read; those only that `descend` comes down to."""
        for step in self.descend(end, shape, whole_until=whole_until):
            if step.zoom == TRIP_ZOOM:
                yield from self.trips(end, step, inside=True, points=True, others=True)
                for trips in self.trips(end, step, inside=False, points=True, others=True):
                    yield in_shape(trips, shape)

    def sum_hours(self, hours: frozenset[int]) -> Iterator[tuple[int, int]]:
        """Yield day (since 1970-01-01) and trips in these hours, wherever they are."""
        parameters = {**self.parameters, "hours": sorted(hours)}
        yield from self._connection.execute(QUERIES["sum_hours"], parameters)

    def cells(self, end: End, zoom: int, parents: list[int] | None) -> Tiles:
        """Return the cells of a zoom that have trips, those in `parents` (cells of the next coarser zoom) if given."""
        query = "trip_cells" if zoom == TRIP_ZOOM else "week_cells"
        parameters = {**self.parameters, "zoom": zoom, "parents": parents}
        rows = self._connection.execute(_of_end(query, end), parameters).fetchall()
        return np.array([cell for (cell,) in rows], dtype=np.int64)


def lie_in(trips: Trips, shape: Shape, *, others: bool = False) -> Flags:
    """Tell of each trip whether its end, the other one if so said, lies in a shape."""
    ends = trips.others if others else trips.points
    if ends is None:
        raise ValueError("the trips were read without that end")
    return shape.contains(ends[:, 0], ends[:, 1])


def in_shape(trips: Trips, shape: Shape, *, others: bool = False) -> Trips:
    """Return the trips whose end, the other one if so said, lies in a shape."""
    return trips.where(lie_in(trips, shape, others=others))


def times_meant(day_hours: DayHours, selection: Selection) -> Flags:
    """Tell of each day and hour whether the selection means it, by hour, day of the week and date."""
    days = day_hours >> 5
    meant = np.ones(len(day_hours), dtype=bool)
    if not selection.every_hour:
        by_hour = np.zeros(32, dtype=bool)
        by_hour[sorted(selection.hours)] = True
        meant &= by_hour[day_hours & 31]
    if selection.weekdays != ALL_WEEKDAYS:
        # 1970-01-01 was a Thursday, the fourth day of its week.
        meant &= np.isin((days + 3) % 7 + 1, sorted(selection.weekdays))
    if selection.start is not None:
        meant &= days >= (selection.start - EPOCH).days
    if selection.end is not None:
        meant &= days <= (selection.end - EPOCH).days
    return meant


def in_times(trips: Trips, selection: Selection) -> Trips:
    """Return the trips at the selection's hours, days of the week and dates."""
    return trips if selection.every_time else trips.where(times_meant(trips.day_hours, selection))


def matching(trips: Trips, selection: Selection) -> Trips:
    """Return the trips, read with origins as points and destinations as others, that match the selection's shape."""
    shape, match = selection.shape, selection.match
    if shape is None:
        return trips
    if match == "either":
        return trips.where(lie_in(trips, shape) | lie_in(trips, shape, others=True))
    if match in ("origin", "both"):
        trips = in_shape(trips, shape)
    return in_shape(trips, shape, others=True) if match in ("destination", "both") else trips


def scan_days(connection: Connection[Any], where: sql.Composable) -> Iterator[tuple[int, int]]:
    """Yield day (since 1970-01-01) and trips of silver for which a condition is true."""
    yield from connection.execute(sql.SQL(QUERIES["scan_days"]).format(condition=where))


def scan_trips(connection: Connection[Any], where: sql.Composable) -> Iterator[Trips]:
    """Yield the trips of silver for which a condition is true, origins as points."""
    with connection.cursor() as cursor, cursor.copy(sql.SQL(QUERIES["scan_trips"]).format(condition=where)) as copy:
        blocks: list[bytes] = []
        size, skipped = 0, _COPY_HEADER_BYTES
        for block in copy:
            blocks.append(bytes(block))
            size += len(block)
            if size >= _BYTES_AT_ONCE:
                data = b"".join(blocks)[skipped:]
                whole = len(data) - len(data) % _COPIED.itemsize
                yield _copied(data[:whole])
                blocks, size, skipped = [data[whole:]], len(data) - whole, 0
        data = b"".join(blocks)[skipped:]
        yield _copied(data[: len(data) - len(data) % _COPIED.itemsize])


def _copied(data: bytes) -> Trips:
    """Return the trips of whole rows of binary COPY."""
    rows = np.frombuffer(data, dtype=_COPIED)
    return Trips(
        np.column_stack([rows["lon"], rows["lat"]]).astype(np.float64),
        np.column_stack([rows["other_lon"], rows["other_lat"]]).astype(np.float64),
        rows["hour"].astype(np.int32),
    )


def unpack_hours(packed: bytes) -> DayHours:
    """Return numbers of 4 bytes as gold packs them."""
    return np.frombuffer(packed, dtype=">i4").astype(np.int32)


def _unpack_points(packed: list[bytes]) -> Floats:
    """Return points as an array of shape (n, 2), longitudes and latitudes each in one piece of memory."""
    points = np.frombuffer(b"".join(packed), dtype=">f8").reshape(-1, 2)
    return np.ascontiguousarray(points.T, dtype=np.float64).T


def _of_end(query: str, end: End) -> sql.Composed:
    return sql.SQL(QUERIES[query]).format(end=sql.SQL(end))
