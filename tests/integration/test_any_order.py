"""Submit, upload, run, kill, cancel, retry, remove, rebuild and index, in any order, against a small model."""

import gzip
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from conftest import new_warehouse
from contents import check_sums, gold_differences
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tripsmith.answers.selection import Selection
from tripsmith.answers.weekly_average import weekly_average
from tripsmith.ingestion import submission
from tripsmith.ingestion.ingestion import IngestionConflictError, get_ingestion
from tripsmith.ingestion.rebuild import rebuild
from tripsmith.ingestion.run import run_ingestion
from tripsmith.sample.generator import write_sample
from tripsmith.settings import Settings
from tripsmith.sources import chunks
from tripsmith.web.application import create_app

# Runs ingestion argv[2] of the database argv[1], in chunks of a megabyte.
RUN = """
import sys, time
from tripsmith.ingestion.run import run_ingestion
from tripsmith.settings import Settings
from tripsmith.sources import chunks
from tripsmith.warehouse.database import open_warehouse
chunks.MIN_CHUNK_BYTES = 1 << 20
with open_warehouse(Settings(database_url=sys.argv[1])) as warehouse:
    print("ready", flush=True)
    run_ingestion(warehouse, int(sys.argv[2]))
"""

FILES = ("small", "faulty", "large", "hopeless")
COUNTS = {"small": (40, 0), "faulty": (28, 2), "large": (30_000, 0), "hopeless": (0, 3)}
UNFINISHED = ("queued", "running")
files, whole = st.sampled_from(FILES), st.booleans()


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    made = {}
    for seed, name in enumerate(FILES):
        with tempfile.TemporaryFile() as file:
            loaded, rejected = COUNTS[name]
            write_sample(file, loaded + rejected, seed + 1, invalid_every=0 if name != "faulty" else 15)
            file.seek(0)
            made[name] = file.read()
    made["hopeless"] = made["hopeless"].replace(b"-", b"/")
    return made


def test_any_order(embedded_server: str, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MIN_CHUNK_BYTES", 1 << 20)

    class Machine(RuleBasedStateMachine):
        """The model: `ids` has the ingestion of each file that is not removed, `states` what is known of its state."""

        @initialize()
        def start(self) -> None:
            self.stack = ExitStack()
            self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tripsmith-", dir="/tmp")))
            self.warehouse = self.stack.enter_context(new_warehouse(embedded_server))
            self.app, _ = create_app(Settings(data_dir=self.folder), self.warehouse)
            self.ids: dict[str, str] = {}
            self.states: dict[str, str] = {}
            for name, content in contents.items():
                (self.folder / f"{name}.csv").write_bytes(content)
                (self.folder / f"{name}.csv.gz").write_bytes(gzip.compress(content))

        def teardown(self) -> None:
            self.stack.close()

        @rule(name=files, packed=st.booleans())
        def submit(self, name: str, packed: bool) -> None:
            path = self.folder / f"{name}.csv{'.gz' * packed}"
            with self.warehouse.connect() as connection:
                self.sent(name, submission.submit(connection, path, path.name).ingestion.id)

        @rule(name=files)
        def upload(self, name: str) -> None:
            answer = self.app.test_client().post(
                "/api/v1/ingestions", data=contents[name], headers={"Content-Type": "text/csv"}
            )
            assert answer.status_code == (200 if self.states.get(name) in (*UNFINISHED, "succeeded") else 202)
            self.sent(name, answer.json["id"])

        def sent(self, name: str, ingestion_id: str) -> None:
            assert self.ids.setdefault(name, ingestion_id) == ingestion_id
            if self.states.get(name) not in ("running", "succeeded"):
                self.states[name] = "queued"

        @precondition(lambda self: any(state in UNFINISHED for state in self.states.values()))
        @rule(seconds=st.sampled_from([0.0, 0.02, 0.1, 0.3]), data=st.data())
        def kill_while_it_runs(self, seconds: float, data: st.DataObject) -> None:
            name = data.draw(st.sampled_from(self.with_state(*UNFINISHED)))
            command = [sys.executable, "-c", RUN, self.warehouse.conninfo, self.ids[name]]
            process = subprocess.Popen(command, stdout=subprocess.PIPE)
            process.stdout.readline()
            time.sleep(seconds)
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            self.states[name] = self.state(name)
            assert self.states[name] in (*UNFINISHED, self.outcome(name))

        @precondition(lambda self: any(state in UNFINISHED for state in self.states.values()))
        @rule(data=st.data())
        def run(self, data: st.DataObject) -> None:
            name = data.draw(st.sampled_from(self.with_state(*UNFINISHED)))
            deadline = time.monotonic() + 60
            while run_ingestion(self.warehouse, int(self.ids[name])) is None:
                assert time.monotonic() < deadline, "what a killed process left still owns the ingestion"
                time.sleep(0.05)
            self.states[name] = self.state(name)
            assert self.states[name] in (self.outcome(name), "cancelled")

        @rule(name=files)
        def cancel(self, name: str) -> None:
            self.attempt(name, submission.cancel, UNFINISHED, ("cancelled", *UNFINISHED, self.outcome(name)))

        @rule(name=files)
        def retry(self, name: str) -> None:
            self.attempt(name, submission.retry, ("failed", "cancelled"), ("queued",))

        @rule(name=files)
        def remove(self, name: str) -> None:
            self.attempt(name, submission.remove, ("succeeded", "failed", "cancelled", "queued"), ("removed",))
            if self.states.get(name) == "removed":
                del self.states[name], self.ids[name]

        def attempt(self, name: str, act: object, allowed: tuple[str, ...], after: tuple[str, ...]) -> None:
            if name not in self.ids:
                return
            with self.warehouse.connect() as connection:
                try:
                    act(connection, self.ids[name])  # type: ignore[operator]
                except IngestionConflictError:
                    # What a killed process left may own it still; its file may be gone, an upload's after success.
                    assert self.states[name] not in allowed or act in (submission.remove, submission.retry)
                    return
            self.states[name] = self.state(name)
            assert self.states[name] in after

        @rule(layer=st.sampled_from(["silver", "gold"]))
        def rebuild(self, layer: str) -> None:
            with suppress(IngestionConflictError):
                assert len(list(rebuild(self.warehouse, layer))) == len(self.with_state("succeeded"))

        @rule()
        def index(self) -> None:
            command = [sys.executable, "-m", "tripsmith", "index"]
            environment = os.environ | {"TRIPSMITH_DATABASE_URL": self.warehouse.conninfo}
            subprocess.run(command, env=environment, check=True, capture_output=True)

        @invariant()
        def counts_are_those_of_the_model(self) -> None:
            succeeded = self.with_state("succeeded")
            with self.warehouse.connect() as connection:
                for name in succeeded:
                    sums = check_sums(connection, self.ids[name])
                    assert (sums["silver"][0], sums["rejected"][0]) == COUNTS[name]
                assert gold_differences(connection) == {}
                assert weekly_average(connection, Selection()).trips == sum(COUNTS[name][0] for name in succeeded)

        def with_state(self, *states: str) -> list[str]:
            return sorted(name for name, state in self.states.items() if state in states)

        def state(self, name: str) -> str:
            with self.warehouse.connect() as connection:
                return get_ingestion(connection, self.ids[name]).state

        def outcome(self, name: str) -> str:
            return "succeeded" if COUNTS[name][0] else "failed"

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=int(os.environ.get("TRIPSMITH_ORDERS", "8")),
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # a step takes too long to look for the shortest failure
        ),
    )
