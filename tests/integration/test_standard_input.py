"""Standard input: what is said of it, whoever loads it."""

import io
from types import SimpleNamespace

from tripsmith.cli import ingest as command
from tripsmith.ingestion.ingestion import get_ingestion
from tripsmith.ingestion.run import run_ingestion
from tripsmith.ingestion.submission import Options, submit
from tripsmith.settings import Settings

TEXT = (
    b"region,origin_coord,destination_coord,datetime,datasource\n"
    b"Prague,POINT (14.4 50.1),POINT (14.5 50.0),2019-05-28 09:03:40,car"
)


def test_a_worker_may_be_done_with_it_at_once(warehouse, tmp_path, monkeypatch):
    def submit_and_load(*arguments, **options):
        sent = submit(*arguments, **options)
        run_ingestion(warehouse, int(sent.ingestion.id))
        return sent

    monkeypatch.setattr(command, "submit", submit_and_load)
    monkeypatch.setattr(command.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TEXT)))
    settings = Settings(data_dir=tmp_path)
    with warehouse.connect() as connection:
        ended = command._ingest(settings, warehouse, connection, command.Path("-"), Options(), quiet=True)
        assert ended.state == "succeeded"
        assert [note["code"] for note in get_ingestion(connection, ended.id).notes] == ["unfinished_line"]
    assert list((tmp_path / "uploads").iterdir()) == []
