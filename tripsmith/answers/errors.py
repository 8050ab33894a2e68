"""Names that a question has and no trip."""


class UnknownNameError(LookupError):
    """No trip has this region or data source; `near` are the names that resemble it."""

    parameter = "name"
    kind = "name"

    def __init__(self, name: str, near: list[str]) -> None:
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"There is no {self.kind} {name!r}.{hint}")
        self.near = near


class UnknownRegionError(UnknownNameError):
    """No trip has this region."""

    parameter = kind = "region"


class UnknownDatasourceError(UnknownNameError):
    """No trip has this data source."""

    parameter, kind = "datasource", "data source"
