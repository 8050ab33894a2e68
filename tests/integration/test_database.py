"""Connections that are kept for the next who asks: they are as new, and none that is dead is given out."""

import time

import pytest
from psycopg import errors

from tripsmith.warehouse.database import Warehouse


def backend(warehouse: Warehouse) -> int:
    with warehouse.connect() as connection:
        return connection.info.backend_pid


@pytest.mark.both_servers
def test_a_connection_is_used_again_and_nothing_is_left_in_it(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        first = connection.info.backend_pid
        connection.execute("SET statement_timeout = 1234")
        connection.execute("CREATE TEMPORARY TABLE mine (n int)")
        connection.execute("SELECT pg_advisory_lock(7)")
    with warehouse.connect() as connection:
        assert connection.info.backend_pid == first
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert connection.execute("SHOW search_path").fetchone() == ("pg_catalog",)
        assert connection.execute("SELECT to_regclass('pg_temp.mine')").fetchone() == (None,)
        with Warehouse(warehouse.conninfo).connect() as other:
            assert other.execute("SELECT pg_try_advisory_lock(7)").fetchone() == (True,)


def test_two_at_once_are_two(warehouse: Warehouse) -> None:
    with warehouse.connect() as one, warehouse.connect() as other:
        assert one.info.backend_pid != other.info.backend_pid


def test_one_left_in_a_transaction_is_ended(warehouse: Warehouse) -> None:
    connection = warehouse.connect()
    first = connection.info.backend_pid
    connection.autocommit = False
    connection.execute("SELECT 1")
    connection.close()
    assert backend(warehouse) != first


def test_one_that_the_server_ended_is_not_given_out(warehouse: Warehouse) -> None:
    first = backend(warehouse)
    with Warehouse(warehouse.conninfo).connect() as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [first])
    time.sleep(0.1)
    assert backend(warehouse) != first


def test_one_that_is_lost_in_use_is_not_kept(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        first = connection.info.backend_pid
        with pytest.raises(errors.AdminShutdown):
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert backend(warehouse) != first
