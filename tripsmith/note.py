"""A note: what would mislead about an answer or an ingestion, in words and numbers."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Note:
    """`code` names the kind for programs, `message` is a sentence for people, `numbers` are what it is about."""

    code: str
    message: str
    numbers: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the document that answers, ingestions and events carry."""
        return {"code": self.code, "message": self.message, **self.numbers}
