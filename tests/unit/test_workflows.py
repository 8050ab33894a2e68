"""The forge's files, as far as they can be checked without it: what they name is in the repository."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tripsmith import __version__

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = [path for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps_of(path: Path) -> list[dict]:
    return [step for job in read(path)["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_targets_and_tests_that_exist(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    for command in (step["run"] for step in steps_of(path) if "run" in step):
        for target in re.findall(r"^make (\S+)", command, re.MULTILINE):
            assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), f"The Makefile has no {target}."
        for test in re.findall(r"\btests/\S+", command):
            assert (ROOT / test).exists(), f"There is no {test}."


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_actions_by_major_version_and_limits_its_time_and_rights(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for step in steps_of(path):
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v\d+)", step["uses"])
    for job in workflow["jobs"].values():
        assert (ROOT / job["uses"]).is_file() if "uses" in job else job["timeout-minutes"] > 0


def test_the_tests_run_on_the_oldest_python_that_is_supported():
    pythons = read(ROOT / ".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert PROJECT["requires-python"] == f">={pythons[0]}"


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_has_what_the_forge_asks_for(path):
    form = read(path)
    assert form["name"] and form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert fields and all(field["attributes"]["label"] for field in fields)
    identifiers = [field["id"] for field in fields]
    assert len(set(identifiers)) == len(identifiers)


def test_dependabot_looks_where_dependencies_are_named():
    manifests = {"pip": "pyproject.toml", "npm": "package.json", "github-actions": ".github/workflows/ci.yml"}
    updates = read(ROOT / ".github/dependabot.yml")["updates"]
    assert {update["package-ecosystem"] for update in updates} == set(manifests)
    for update in updates:
        for folder in update.get("directories") or [update["directory"]]:
            assert (ROOT / folder.strip("/") / manifests[update["package-ecosystem"]]).is_file()


def test_the_package_and_the_project_have_the_same_version():
    assert PROJECT["version"] == __version__
