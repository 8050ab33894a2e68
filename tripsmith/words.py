"""Numbers, names and values as people read them in messages and on a terminal."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str) -> str:
    """Return text with its unprintable characters escaped, as in `\\x1b`: a terminal might obey them."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )
