"""What the README shows happens: its commands are run in order, on a new warehouse, and print what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def shown_commands() -> list[tuple[str, str]]:
    """The commands of the README's first console block, each with the output under it."""
    (block, *_) = re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def as_pattern(shown: str) -> str:
    """`…` stands for whatever differs from machine to machine."""
    return ".*".join(re.escape(part) for part in shown.split("…"))


def test_the_commands_print_what_is_shown(reachable_dir, tmp_path):
    environment = {**os.environ, "TRIPSMITH_DATA_DIR": str(reachable_dir / "readme")}
    commands = shown_commands()
    assert len(commands) > 5
    for command, output in commands:
        program, *arguments = command.split()
        assert program == "tripsmith"
        ended = subprocess.run(
            [sys.executable, "-m", "tripsmith", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        assert re.fullmatch(as_pattern(output), ended.stdout), f"{command} printed\n{ended.stdout}"
