"""How many trips of a selection each day has."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
from psycopg import Connection, sql

from tripsmith.answers.places import (
    EPOCH,
    DayHours,
    Places,
    Snapshot,
    lie_in,
    matching,
    scan_days,
    scan_trips,
    times_meant,
)
from tripsmith.answers.selection import Names, Selection, condition
from tripsmith.geometry.cover import Place
from tripsmith.geometry.shape import Polygon, Shape
from tripsmith.warehouse.gold.segment import HOUR_ZOOMS, TRIP_ZOOM, End


def count_days(connection: Connection[Any], snapshot: Snapshot, selection: Selection, names: Names) -> dict[date, int]:
    """Return the trips of each local day that has any, in order."""
    counts: Counter[int] = Counter()
    if snapshot.segments:
        for day, trips in _count_placed(Places(connection, snapshot.segments, names), selection):
            counts[day] += trips
    if snapshot.without_segment is not None:
        for day, trips in _count_scanned(connection, snapshot.without_segment, selection, names):
            counts[day] += trips
    days = ((EPOCH + timedelta(days=day), trips) for day, trips in sorted(counts.items()) if trips)
    # Weeks are counted with their days, whichever of those are meant.
    return {day: trips for day, trips in days if selection.takes_day(day)}


def _count_placed(places: Places, selection: Selection) -> Iterator[tuple[int, int]]:
    """Yield days (since 1970-01-01) and trips; a day may come several times, and with trips to be taken off."""
    shape = selection.shape
    if shape is None:
        yield from places.sum_hours(selection.hours)
        return
    if selection.match in ("origin", "either"):
        yield from _count_end(places, selection, shape, "origin")
    if selection.match in ("destination", "either"):
        yield from _count_end(places, selection, shape, "destination")
    if selection.match == "both":
        yield from _count_both(places, selection, shape)
    if selection.match == "either":
        yield from ((day, -trips) for day, trips in _count_both(places, selection, shape))


def _count_end(places: Places, selection: Selection, shape: Shape, end: End) -> Iterator[tuple[int, int]]:
    whole_until = TRIP_ZOOM if selection.every_hour else HOUR_ZOOMS[-1]
    for step in places.descend(end, shape, whole_until=whole_until):
        if step.zoom == TRIP_ZOOM:
            for trips in places.trips(end, step, inside=True, points=False, others=False):
                yield from _by_day(trips.day_hours[times_meant(trips.day_hours, selection)])
            for trips in places.trips(end, step, inside=False, points=True, others=False):
                meant = lie_in(trips, shape) & times_meant(trips.day_hours, selection)
                yield from _by_day(trips.day_hours[meant])
        elif selection.every_hour:
            yield from places.sum_weeks(end, step)
        elif step.zoom in HOUR_ZOOMS:
            for day_hours, counts in places.read_hours(end, step):
                meant = times_meant(day_hours, selection)
                yield from _by_day(day_hours[meant], counts[meant])


def _count_both(places: Places, selection: Selection, shape: Shape) -> Iterator[tuple[int, int]]:
    """Count by origin the trips of regions that end in the shape for certain, one by one those that may or may not."""
    regions = places.regions("destination", shape)
    if regions[Place.INSIDE]:
        yield from _count_end(places.of_regions(regions[Place.INSIDE]), selection, shape, "origin")
    if not regions[Place.EDGE]:
        return
    places = places.of_regions(regions[Place.EDGE])
    for step in places.descend("origin", shape, whole_until=0):
        if step.zoom != TRIP_ZOOM:
            continue
        for inside in (True, False):
            for trips in places.trips("origin", step, inside=inside, points=not inside, others=True):
                meant = lie_in(trips, shape, others=True) & times_meant(trips.day_hours, selection)
                if not inside:
                    meant &= lie_in(trips, shape)
                yield from _by_day(trips.day_hours[meant])


def _count_scanned(
    connection: Connection[Any], scanned: sql.Composable, selection: Selection, names: Names
) -> Iterator[tuple[int, int]]:
    where = sql.SQL(" AND ").join([scanned, condition(selection, names)])
    if isinstance(selection.shape, Polygon):
        for trips in scan_trips(connection, where):
            yield from _by_day(matching(trips, selection).day_hours)
    else:
        yield from scan_days(connection, where)


def _by_day(day_hours: DayHours, counts: DayHours | None = None) -> Iterator[tuple[int, int]]:
    """Yield days and trips of days and hours, each of one trip, or of as many as counted."""
    if len(day_hours):
        days = day_hours >> 5
        first = int(days.min())
        sums = np.bincount(days - first, weights=counts).astype(np.int64)
        yield from ((first + day, int(sums[day])) for day in np.flatnonzero(sums).tolist())
