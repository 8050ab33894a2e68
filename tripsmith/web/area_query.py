"""The query parameters that several questions share: which area, and which end of a trip must lie in it."""

from pydantic import BaseModel, ConfigDict, Field

from tripsmith.answers.area import Area, parse_bbox, parse_match


class AreaQuery(BaseModel):
    """Region and box narrow one another; without both, all trips are meant."""

    model_config = ConfigDict(extra="forbid")

    region: str | None = Field(None, description="Name of a region, in any case.")
    bbox: str | None = Field(None, description="Box as west,south,east,north in degrees, edges included.")
    match: str = Field(
        "origin", description="Which end of a trip must lie in the box: origin, destination, both or either."
    )

    def area(self) -> Area:
        """Return the area meant. Raises BadQuestionError."""
        return Area(self.region, parse_bbox(self.bbox) if self.bbox is not None else None, parse_match(self.match))
