"""Queries in .sql files, read by name."""

import pytest

from tripsmith.warehouse.queries import load_queries


def load(tmp_path, monkeypatch, text):
    package = tmp_path / f"package_{tmp_path.name}".replace("-", "_")
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "some.sql").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return load_queries(package.name, "some.sql")


def test_each_query_has_its_name_and_keeps_its_comments(tmp_path, monkeypatch):
    queries = load(
        tmp_path, monkeypatch, "-- What it is.\n\n-- name: one\n-- Why.\nSELECT 1\n\n-- name: two\nSELECT 'ä'\n"
    )
    assert queries == {"one": "-- Why.\nSELECT 1", "two": "SELECT 'ä'"}


@pytest.mark.parametrize("text", ["", "SELECT 1", "-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n"])
def test_a_file_without_names_or_with_one_twice_is_an_error(tmp_path, monkeypatch, text):
    with pytest.raises(ValueError, match="must name each of its queries once"):
        load(tmp_path, monkeypatch, text)
