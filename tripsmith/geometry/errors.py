"""What can be wrong with a shape, or with anything else that a question has."""


class BadQuestionError(ValueError):
    """A question that has no answer; `parameter` names what is wrong, the message what would be right."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter
