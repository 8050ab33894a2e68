"""What can be wrong with a question."""


class BadQuestionError(ValueError):
    """A question that has no answer; `parameter` names what is wrong, the message what would be right."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


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
