"""Files for deployment, as far as they can be checked without the programs they are for."""

import configparser
from pathlib import Path

from tripsmith.cli import cli
from tripsmith.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_unit_starts_a_command_and_sets_settings_that_exist():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(DEPLOY / "tripsmith.service")
    program, command = unit["Service"]["ExecStart"].split()
    assert (Path(program).name, command in cli.commands) == ("tripsmith", True)
    lines = (DEPLOY / "tripsmith.service").read_text().splitlines()
    named = {line.split("=")[1] for line in lines if line.lstrip("# ").startswith("Environment=")}
    assert named == {"TRIPSMITH_DATA_DIR", "TRIPSMITH_WATCH_DIR"}
    assert {name.removeprefix("TRIPSMITH_").lower() for name in named} <= set(Settings.model_fields)
