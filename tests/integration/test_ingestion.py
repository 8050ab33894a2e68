"""Files through all layers, compared with what other means make of them."""

from datetime import date
from pathlib import Path

import pytest
from contents import check_sums

from tripsmith.answers.area import Area
from tripsmith.answers.weekly_average import weekly_average

DATA = Path(__file__).parents[3] / "shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real files are not here: {DATA}")

pytestmark = pytest.mark.both_servers


@needs_data
@pytest.mark.parametrize(
    ("region", "trips", "weeks"),
    [("Prague", 34, [10, 8, 8, 5, 3]), ("Turin", 38, [8, 6, 6, 14, 4]), ("Hamburg", 28, [5, 6, 5, 7, 5])],
)
def test_the_figures_of_the_hundred_trips(warehouse, ingest, region, trips, weeks):
    ended = ingest(DATA / "trips.csv")
    assert (ended.state, ended.rows_read, ended.rows_loaded, ended.rows_rejected) == ("succeeded", 100, 100, 0)
    with warehouse.connect() as connection:
        check_sums(connection, ended.id)
        answer = weekly_average(connection, Area(region))
    assert answer.trips == trips
    assert answer.average == trips / 5
    assert answer.series[0][0] == date(2018, 4, 30)
    assert [count for _, count in answer.series] == weeks
