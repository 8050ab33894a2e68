"""Commands, settings and metrics are all documented, and what the documentation names exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tripsmith.cli import cli
from tripsmith.settings import Settings
from tripsmith.web import monitoring

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def command_names(group: click.Group = cli, prefix: str = "tripsmith") -> Iterator[str]:
    """Full names of the commands, those within groups included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield f"{prefix} {name}"
        if isinstance(command, click.Group):
            yield from command_names(command, f"{prefix} {name}")


COMMANDS = list(command_names())
SETTINGS = {f"TRIPSMITH_{name.upper()}": field for name, field in Settings.model_fields.items()}
METRICS = re.findall(r'"(tripsmith_\w+)"', Path(monitoring.__file__).read_text(encoding="utf-8"))


def rows(heading: str) -> list[list[str]]:
    """The cells of the reference's table under a heading, without the table's own heading."""
    (section,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", REFERENCE, re.DOTALL | re.MULTILINE)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def is_named(name: str) -> bool:
    return re.search(rf"`{re.escape(name)}(?![\w-])", TEXT) is not None


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented(name):
    assert is_named(name), f"Add `{name}` to docs/reference.md."


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_documented(name):
    assert is_named(name), f"Add `{name}` to docs/reference.md."


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_documented(name):
    assert is_named(name), f"Add `{name}` to docs/reference.md."


def test_names_are_found_where_they_are_defined():
    assert {"tripsmith ingest", "tripsmith ingestions show"} <= set(COMMANDS)
    assert {"tripsmith_rows", "tripsmith_request_seconds"} <= set(METRICS)


def test_the_commands_of_the_reference_exist():
    shown = {re.match(r"`(tripsmith(?: [a-z-]+)+)", command)[1] for command, _ in rows("Commands")}
    assert shown <= set(COMMANDS)


def test_the_settings_of_the_reference_exist_and_have_these_defaults():
    for name, default, _ in rows("Settings"):
        # That of the data folder depends on the user: it is described in words.
        expected = SETTINGS[name.strip("`")].get_default()
        written = "" if expected is None or expected == "" else f"`{str(expected).lower()}`"
        assert default == (written if name != "`TRIPSMITH_DATA_DIR`" else "")


def test_the_files_that_contributing_names_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z][\w/.-]*(?:/|\.(?:py|sql|ts|tsx|md|toml)))`", text)
    assert "ingestion/notes.py" in named
    known = [path for folder in ("tripsmith", "dashboard/src", "tests") for path in (ROOT / folder).rglob("*")]
    for name in named:
        is_bare = "/" not in name and any(path.name == name for path in known)
        assert is_bare or any((folder / name).exists() for folder in (ROOT, ROOT / "tripsmith")), name


def test_the_metrics_of_the_reference_exist():
    assert {name.strip("`") for name, *_ in rows("Metrics")} <= set(METRICS)
