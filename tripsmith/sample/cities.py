"""The cities of the example trips: their hot spots, and what pulls trips there in which part of the day."""

from dataclasses import dataclass

MORNING, MIDDAY, EVENING, NIGHT, WEEKEND = range(5)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of hot spot: its spread in metres, and its pull as origin and destination in each of the five periods."""

    spread: int
    origin: tuple[int, int, int, int, int]
    destination: tuple[int, int, int, int, int]


CENTRE = Kind(900, (14, 34, 40, 50, 38), (44, 36, 30, 30, 42))
STATION = Kind(280, (28, 22, 20, 20, 20), (22, 20, 26, 12, 18))
AIRPORT = Kind(450, (6, 9, 9, 10, 9), (10, 9, 7, 5, 9))
UNIVERSITY = Kind(420, (3, 14, 14, 4, 3), (20, 14, 5, 2, 3))
OFFICES = Kind(650, (4, 16, 34, 5, 3), (38, 16, 4, 2, 3))
LEISURE = Kind(550, (2, 8, 10, 16, 20), (3, 10, 20, 12, 22))
HOMES = Kind(1500, (44, 20, 12, 14, 26), (6, 18, 38, 36, 24))


@dataclass(frozen=True, slots=True)
class City:
    """A region: its share of all trips in thousandths, its data sources with their weights, its hot spots.

    A spot is its kind, then longitude and latitude in degrees.
    """

    name: str
    share: int
    datasources: dict[str, int]
    spots: tuple[tuple[Kind, float, float], ...]


CITIES = (
    City(
        "Prague",
        333,
        {"cheap_mobile": 34, "funny_car": 30, "baba_car": 20, "pt_search_app": 12, "bad_diesel_vehicles": 4},
        (
            (CENTRE, 14.4213, 50.0875),
            (STATION, 14.4359, 50.0831),
            (STATION, 14.4079, 50.0598),
            (AIRPORT, 14.2632, 50.1018),
            (UNIVERSITY, 14.3923, 50.1036),
            (OFFICES, 14.4586, 50.0493),
            (OFFICES, 14.4514, 50.0935),
            (LEISURE, 14.4301, 50.1066),
            (HOMES, 14.4502, 50.0768),
            (HOMES, 14.5155, 50.0321),
            (HOMES, 14.3427, 50.0489),
            (HOMES, 14.4706, 50.1287),
        ),
    ),
    City(
        "Hamburg",
        172,
        {"baba_car": 38, "bad_diesel_vehicles": 27, "cheap_mobile": 20, "pt_search_app": 15},
        (
            (CENTRE, 9.9930, 53.5511),
            (STATION, 10.0067, 53.5530),
            (STATION, 9.9352, 53.5527),
            (AIRPORT, 10.0060, 53.6325),
            (UNIVERSITY, 9.9846, 53.5666),
            (OFFICES, 10.0169, 53.5921),
            (OFFICES, 9.9990, 53.5416),
            (LEISURE, 9.9633, 53.5497),
            (HOMES, 9.9560, 53.5750),
            (HOMES, 10.0455, 53.5781),
            (HOMES, 9.9790, 53.4610),
            (HOMES, 10.1470, 53.6070),
        ),
    ),
    City(
        "Turin",
        131,
        {"pt_search_app": 44, "cheap_mobile": 26, "baba_car": 18, "funny_car": 12},
        (
            (CENTRE, 7.6826, 45.0703),
            (STATION, 7.6786, 45.0626),
            (STATION, 7.6575, 45.0717),
            (AIRPORT, 7.6472, 45.1918),
            (UNIVERSITY, 7.6616, 45.0626),
            (UNIVERSITY, 7.6986, 45.0738),
            (OFFICES, 7.6657, 45.0315),
            (LEISURE, 7.6862, 45.0553),
            (HOMES, 7.6390, 45.0400),
            (HOMES, 7.6300, 45.0780),
            (HOMES, 7.6950, 45.0960),
        ),
    ),
    City(
        "Chicago",
        118,
        {"funny_car": 58, "cheap_mobile": 24, "bad_diesel_vehicles": 18},
        (
            (CENTRE, -87.6330, 41.8790),
            (STATION, -87.6401, 41.8787),
            (STATION, -87.6404, 41.8827),
            (AIRPORT, -87.9048, 41.9769),
            (AIRPORT, -87.7442, 41.7880),
            (UNIVERSITY, -87.6020, 41.7897),
            (UNIVERSITY, -87.6490, 41.8717),
            (OFFICES, -87.6500, 41.8850),
            (LEISURE, -87.6560, 41.9460),
            (HOMES, -87.6760, 41.9190),
            (HOMES, -87.7050, 41.9680),
            (HOMES, -87.7260, 41.8500),
            (HOMES, -87.6450, 41.7800),
        ),
    ),
    City(
        "Lisbon",
        95,
        {"cheap_mobile": 41, "pt_search_app": 35, "baba_car": 24},
        (
            (CENTRE, -9.1400, 38.7140),
            (STATION, -9.0985, 38.7678),
            (STATION, -9.1215, 38.7143),
            (AIRPORT, -9.1289, 38.7742),
            (UNIVERSITY, -9.1568, 38.7522),
            (OFFICES, -9.1500, 38.7370),
            (LEISURE, -9.1445, 38.7110),
            (HOMES, -9.1860, 38.7490),
            (HOMES, -9.1230, 38.7510),
            (HOMES, -9.2300, 38.7560),
        ),
    ),
    City(
        "Cape Town",
        62,
        {"baba_car": 52, "bad_diesel_vehicles": 33, "cheap_mobile": 15},
        (
            (CENTRE, 18.4230, -33.9230),
            (STATION, 18.4255, -33.9222),
            (AIRPORT, 18.5970, -33.9700),
            (UNIVERSITY, 18.4610, -33.9577),
            (OFFICES, 18.5110, -33.8930),
            (LEISURE, 18.4200, -33.9060),
            (HOMES, 18.4800, -33.9650),
            (HOMES, 18.6250, -33.9050),
            (HOMES, 18.5300, -33.9500),
        ),
    ),
    City(
        "Zürich",
        57,
        {"pt_search_app": 63, "funny_car": 22, "cheap_mobile": 15},
        (
            (CENTRE, 8.5417, 47.3720),
            (STATION, 8.5402, 47.3782),
            (AIRPORT, 8.5622, 47.4502),
            (UNIVERSITY, 8.5480, 47.3764),
            (UNIVERSITY, 8.5078, 47.4085),
            (OFFICES, 8.5170, 47.3880),
            (HOMES, 8.5440, 47.4110),
            (HOMES, 8.4890, 47.3800),
            (HOMES, 8.5150, 47.3640),
        ),
    ),
    City(
        "Reykjavík",
        32,
        {"cheap_mobile": 70, "baba_car": 30},
        (
            (CENTRE, -21.9330, 64.1460),
            (STATION, -21.8990, 64.1430),
            (AIRPORT, -21.9460, 64.1320),
            (UNIVERSITY, -21.9490, 64.1400),
            (OFFICES, -21.8790, 64.1350),
            (HOMES, -21.8500, 64.1230),
            (HOMES, -21.9050, 64.1100),
        ),
    ),
)
