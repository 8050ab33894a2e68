"""Many records looked at together: where the whole ones end, and what their quotes are."""

from dataclasses import dataclass

from tripsmith.sources.quotes import QUOTE, Dialect, Quotes, record_at

_LARGE_BYTES = 2 << 20


@dataclass(frozen=True, slots=True)
class Scan:
    """The whole records at the start of some bytes: where they end, and what is in them."""

    length: int
    quotes: Quotes
    is_one_record_a_line: bool


def scan(data: bytes, dialect: Dialect, *, is_final: bool) -> Scan:
    """Find the whole records at the start of `data`, where a record starts; `is_final` if the file ends with `data`."""
    end = data.rfind(b"\n") + 1
    if end == 0 or data.find(QUOTE, 0, end) < 0:
        return Scan(end, Quotes.NONE, is_one_record_a_line=True)
    if len(data) > _LARGE_BYTES:
        # Looked at for one long record: arrays of all quotes would take too much memory.
        first = record_at(data, 0, dialect, is_final=is_final)
        return Scan(first.stop if first else 0, Quotes.MIXED, is_one_record_a_line=False)
    # Files without quotes do not wait for numpy.
    from tripsmith.sources.line_quotes import LineQuotes

    lines = LineQuotes(data[:end], dialect.delimiter)
    if not lines.any_opens:
        return Scan(end, Quotes.LITERAL, is_one_record_a_line=True)
    stop, judged, one_record_a_line = 0, 0, True
    for line_start in lines.left_open():
        if line_start < stop:
            continue
        span = record_at(data, line_start, dialect, is_final=is_final, judged=judged)
        if span is None:
            end = line_start
            break
        stop, judged, one_record_a_line = span.stop, span.judged, False
    quotes = Quotes.STANDARD if lines.are_standard else Quotes.MIXED
    return Scan(end, quotes, one_record_a_line)
