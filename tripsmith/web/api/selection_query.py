"""The parameters that all questions share: which trips are meant. By GET in the address, by POST as JSON."""

import re
from datetime import date
from typing import Annotated, Any

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tripsmith.answers.selection import (
    ALL_HOURS,
    ALL_WEEKDAYS,
    Selection,
    parse_hours,
    parse_match,
    parse_weekdays,
)
from tripsmith.geometry.errors import BadQuestionError
from tripsmith.geometry.geojson import parse_polygon
from tripsmith.geometry.shape import Shape, parse_bbox


def _parse_date(given: Any) -> Any:
    # pydantic accepts a number as seconds since 1970, and Python a week such as 2018-W18-1.
    if given is None:
        return None
    try:
        if isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", given, re.ASCII):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise ValueError("it must be a date such as 2018-04-30")


Day = Annotated[date | None, BeforeValidator(_parse_date)]


def _refuse_bool(given: Any) -> Any:
    # pydantic accepts true as 1.
    if isinstance(given, bool):
        raise ValueError("it must be a whole number")  # noqa: TRY004  # pydantic reports no other
    return given


WholeNumber = Annotated[int, BeforeValidator(_refuse_bool)]


def check_address() -> None:
    """Raise BadQuestionError for what would be ignored: a parameter given twice, or where this method has none."""
    for name, values in request.args.lists():
        if request.method == "POST":
            raise BadQuestionError(name, f"{name} is in the address; by POST all parameters go in the JSON body.")
        if len(values) > 1:
            raise BadQuestionError(name, f"{name} is given {len(values)} times; it must be given once.")
    if request.method == "GET" and request.content_length:
        raise BadQuestionError("body", "By GET all parameters go in the address; send a body by POST.")


class SelectionQuery(BaseModel):
    """What is given narrows one another; without any of it, all trips are meant."""

    model_config = ConfigDict(extra="forbid")

    region: str | None = Field(None, description="Name of a region, in any case.")
    bbox: str | None = Field(
        None,
        description="Box as west,south,east,north in degrees, edges included. It crosses the antimeridian where an edge"
        " is beyond 180 degrees, and where west is greater than east and the box is at most 180 degrees wide.",
    )
    match: str = Field(
        "origin", description="Which end of a trip must lie in the box or area: origin, destination, both or either."
    )
    datasource: str | None = Field(None, description="Name of a data source, in any case.")
    hours: str | None = Field(None, description="Hours of the local day that trips start in, such as 7-9 or 22-4,12.")
    weekdays: str | None = Field(None, description="Days of the week that trips start on, such as 1-5; 1 is Monday.")
    from_: Day = Field(None, alias="from", description="First local date.")
    to: Day = Field(None, description="Last local date.")

    def selection(self) -> Selection:
        """Return the trips meant. Raises BadQuestionError."""
        return Selection(
            region=self.region,
            shape=self.shape(),
            match=parse_match(self.match),
            datasource=self.datasource,
            hours=parse_hours(self.hours) if self.hours is not None else ALL_HOURS,
            weekdays=parse_weekdays(self.weekdays) if self.weekdays is not None else ALL_WEEKDAYS,
            start=self.from_,
            end=self.to,
        )

    def shape(self) -> Shape | None:
        """Return the box or polygon meant. Raises BadQuestionError."""
        return parse_bbox(self.bbox) if self.bbox is not None else None


class WithArea(SelectionQuery):
    """The same, and an area as GeoJSON polygons, their boundaries included."""

    area: dict[str, Any] | None = Field(
        None,
        description="A GeoJSON Polygon or MultiPolygon, or a Feature, FeatureCollection or GeometryCollection of them,"
        " instead of `bbox`. Longitudes beyond 180 go on across the antimeridian.",
    )

    def shape(self) -> Shape | None:
        """Return the box or polygon meant. Raises BadQuestionError."""
        if self.area is None:
            return super().shape()
        if self.bbox is not None:
            raise BadQuestionError("area", "Give bbox or area, not both.")
        return parse_polygon(self.area)
