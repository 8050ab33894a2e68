"""The dashboard as people use it: a real browser, a real server, files chosen and dropped, boxes drawn."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

import pytest
from chromium import WITH_WEBGL, axe, launch
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect, sync_playwright
from test_live_server import HEADER, Server, a_server, a_trip, trips

from tripsmith.sample.generator import write_sample

LONG = 60_000
# A busy machine draws late; what never comes still fails.
expect.set_options(timeout=LONG)
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MAP = "[data-test=map][data-ready=true]"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launch(playwright, *WITH_WEBGL) as opened:
        yield opened


@pytest.fixture(scope="module")
def sample() -> bytes:
    content = io.BytesIO()
    write_sample(content, 20_000, 1)
    return content.getvalue()


@pytest.fixture(scope="module")
def server(sample: bytes) -> Iterator[Server]:
    """A server that holds 20,000 trips of the sample, and a file of which some rows were rejected."""
    with a_server() as running:
        for name, content in (("sample.csv", sample), ("faulty.csv", FAULTY)):
            answer = running.post("/upload-csv", files={"file": (name, content)})
            assert answer.status_code == 200, answer.text
        yield running


FAULTY = trips(
    a_trip("Faulty"),
    "Faulty,POINT (14.5 95),POINT (14.41 50.09),2018-05-01 10:00:00,cheap_mobile",
    "Faulty,POINT (14.5 96),POINT (14.41 50.09),2018-05-01 10:00:00,cheap_mobile",
    'Faulty,"no, point",POINT (14.41 50.09),2018-05-01 10:00:00,cheap_mobile',
)


@contextmanager
def a_page(browser: Browser, server: Server, hash: str = "", **options) -> Iterator[Page]:
    """A page in a browser of its own; it must not complain in the console."""
    options = {"viewport": WIDE, "locale": "en-GB", "reduced_motion": "reduce", "accept_downloads": True} | options
    context = browser.new_context(**options)
    context.set_default_timeout(LONG)
    complaints: list[str] = []
    page = watched(context, complaints)
    try:
        page.goto(f"{server.url}/{hash}")
        yield page
        assert complaints == []
    finally:
        context.close()


def watched(context: BrowserContext, complaints: list[str]) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    return page


def number(page: Page, name: str) -> float:
    return float(page.locator(f"[data-test={name}]").inner_text().replace(",", ""))


def state_of(page: Page) -> dict[str, str]:
    """What the address says; it is written a moment after a change, later on a busy machine."""
    before, now = "", page.evaluate("location.hash")
    while now != before:
        page.wait_for_timeout(1000)
        before, now = now, page.evaluate("location.hash")
    query = now.partition("?")[2]
    return {name: unquote(values[0]) for name, values in parse_qs(query).items()}


def area_of(page: Page, other_than: str = "") -> str:
    """The area in the address, once there is one other than that."""
    page.wait_for_function("(was) => (location.hash.match(/area=([^&]*)/)?.[1] ?? was) !== was", arg=quote(other_than))
    return state_of(page)["area"]


def expect_answer_of_api(page: Page, server: Server, **parameters: str) -> None:
    """The numbers shown are those that the API gives for these parameters."""
    asked = server.get("/api/v1/weekly-average", params=parameters)
    assert asked.status_code == 200, asked.text
    answer = asked.json()
    whole, average = answer["whole_weeks"], answer["weekly_average"]
    if 2 <= whole["weeks"] < answer["weeks"]:
        words = f"average of {whole['weeks']:,} whole weeks; {average:,.1f} over all {answer['weeks']:,} weeks"
        average = whole["weekly_average"]
    else:
        words = "average of 1 week" if answer["weeks"] == 1 else f"average of {answer['weeks']:,} weeks"
    expect(page.locator("[data-test=average-one]")).to_have_text(_to_one_digit(average), timeout=LONG)
    expect(page.locator("[data-test=weeks-one]")).to_have_text(words, timeout=LONG)
    expect(page.locator("[data-test=trips-one]")).to_have_text(f"{answer['trips']:,}", timeout=LONG)


def draw_box(page: Page) -> None:
    page.get_by_role("button", name="Draw a box").click()
    page.mouse.move(560, 300)
    page.mouse.down()
    page.mouse.move(700, 420, steps=4)
    page.mouse.move(820, 520, steps=4)
    page.mouse.up()


def test_an_empty_warehouse_shows_how_to_begin(browser: Browser) -> None:
    with a_server() as server, a_page(browser, server) as page:
        expect(page.get_by_role("heading", name="No trips yet")).to_be_visible()
        expect(page.get_by_role("button", name="Choose files")).to_be_visible()
        page.get_by_role("button", name="example trips").click()
        expect(page.locator("[data-state=succeeded]")).to_be_visible(timeout=LONG)
        page.get_by_role("link", name="Map", exact=True).click()
        expect_answer_of_api(page, server)
        assert number(page, "trips-one") == 200_000


def test_a_file_is_chosen_and_its_progress_moves_and_ends(browser: Browser, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        write_sample(file, 1_000_000, 3)
    with a_page(browser, server, "#/files") as page:
        page.evaluate(WATCH_PROGRESS)
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose files").click()
        chooser.value.set_files(path)
        card = page.locator(".file", has=page.get_by_role("heading", name="large.csv")).first
        expect(page.locator(".file[data-state=succeeded]", has_text="large.csv")).to_be_visible(timeout=LONG)
        expect(card).to_contain_text(re.compile(r"loaded\s*1,000,000"))
        seen = page.evaluate("window.progressSeen")
        assert seen == sorted(seen)
        assert len({value for value in seen if 0 < value < 1}) >= 2
        # Away again, for the tests that know what is in the warehouse; nothing goes without a question.
        card.get_by_role("button", name="Remove large.csv").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("1,000,000 trips leave all three layers")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
        card.get_by_role("button", name="Remove large.csv").click()
        dialog.get_by_role("button", name="Remove").click()
        expect(page.locator(".file[data-state=removed]", has_text="large.csv")).to_be_visible(timeout=LONG)


# Notes every value of the progress of one file.
WATCH_PROGRESS = """() => {
    window.progressSeen = [];
    new MutationObserver(() => {
        const bar = document.querySelector("[data-test=progress][aria-label='Done of large.csv']");
        if (bar && bar.value !== window.progressSeen.at(-1)) window.progressSeen.push(bar.value);
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def test_files_are_dropped_on_any_page(browser: Browser, server: Server) -> None:
    with a_page(browser, server, "#/metrics") as page:
        expect(page.get_by_role("heading", name="Metrics")).to_be_visible()
        transfer = page.evaluate_handle(
            """([one, two]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([one], "dropped-1.csv"));
                transfer.items.add(new File([two], "dropped-2.csv"));
                return transfer;
            }""",
            [trips(a_trip("Dropped")).decode(), trips(a_trip("Dropped", "2018-05-09")).decode()],
        )
        page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
        expect(page.get_by_text("Drop CSV files of trips")).to_be_visible()
        page.dispatch_event("body", "drop", {"dataTransfer": transfer})
        for name in ("dropped-1.csv", "dropped-2.csv"):
            expect(page.locator(".file[data-state=succeeded]", has_text=name)).to_be_visible(timeout=LONG)
        # The same again: nothing changes, and it says so.
        page.dispatch_event("body", "drop", {"dataTransfer": transfer})
        expect(page.get_by_text(re.compile("already, as ingestion"))).to_have_count(2, timeout=LONG)


def test_an_ingestion_is_cancelled_only_once_that_is_confirmed(browser: Browser) -> None:
    with a_server("--workers", "0") as server, a_page(browser, server, "#/files") as page:
        content = trips(a_trip("Waiting"))
        assert server.post("/api/v1/ingestions", files={"file": ("waiting.csv", content)}).status_code == 202
        for answer, state in (("Continue ingestion", "queued"), ("Cancel ingestion", "cancelled")):
            page.get_by_role("button", name="Cancel waiting.csv").click()
            page.get_by_role("dialog").get_by_role("button", name=answer).click()
            expect(page.get_by_role("dialog")).to_have_count(0)
            expect(page.locator(f".file[data-state={state}]", has_text="waiting.csv")).to_be_visible()


def test_what_is_chosen_while_the_page_changes_is_sent(browser: Browser) -> None:
    with a_server() as server, a_page(browser, server, "#/files") as page:
        with page.expect_file_chooser() as dialog:
            page.get_by_role("button", name="Choose files").click()
        # The first trips come from elsewhere: the page of an empty warehouse goes, with the button that was pressed.
        first = trips(a_trip("Elsewhere"))
        assert server.post("/upload-csv", files={"file": ("first.csv", first)}).status_code == 200
        expect(page.locator(".file[data-state=succeeded]", has_text="first.csv")).to_be_visible()
        chosen = {"name": "chosen.csv", "mimeType": "text/csv", "buffer": trips(a_trip("Chosen"))}
        dialog.value.set_files(chosen)
        expect(page.locator(".file[data-state=succeeded]", has_text="chosen.csv")).to_be_visible()


def test_a_file_that_cannot_be_taken_is_told_why(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.goto(f"{server.url}/#/files")
    page.locator("input[type=file]").set_input_files(
        {"name": "no.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    )
    expect(page.locator("[data-test=upload]").get_by_role("alert")).to_contain_text(
        "is not the header of a known format", timeout=LONG
    )
    page.get_by_role("button", name="Dismiss no.csv").click()
    expect(page.locator("[data-test=upload]")).to_have_count(0)
    context.close()


def test_a_file_without_regions_is_sent_again_with_one(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.goto(f"{server.url}/#/files")
    content = trips(a_trip("Prague", "2018-11-05")).replace(b"region,", b"").replace(b"Prague,", b"")
    page.locator("input[type=file]").set_input_files({"name": "bare.csv", "mimeType": "text/csv", "buffer": content})
    card = page.locator("[data-test=upload]", has_text="bare.csv")
    expect(card.get_by_role("alert")).to_contain_text("lacks region", timeout=LONG)
    card.get_by_label("Region of all rows").fill("Bareville")
    card.get_by_role("button", name="Send again").click()
    expect(page.locator(".file[data-state=succeeded]", has_text="bare.csv")).to_be_visible(timeout=LONG)
    assert server.get("/api/v1/weekly-average?region=bareville").json()["trips"] == 1
    context.close()


def test_a_file_with_regions_of_its_own_is_sent_again_with_them_replaced(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.goto(f"{server.url}/#/files")
    # It lacks a data source, so the user fills in the form, and the region as well.
    content = trips(a_trip("Prague", "2018-11-06")).replace(b",datasource", b"").replace(b",cheap_mobile", b"")
    page.locator("input[type=file]").set_input_files({"name": "own.csv", "mimeType": "text/csv", "buffer": content})
    card = page.locator("[data-test=upload]", has_text="own.csv")
    expect(card.get_by_role("alert")).to_contain_text("lacks datasource", timeout=LONG)
    card.get_by_label("Region of all rows").fill("Replaceville")
    card.get_by_label("Data source of all rows").fill("bus")
    card.get_by_role("button", name="Send again").click()
    expect(card.get_by_role("alert")).to_contain_text("has a column region of its own", timeout=LONG)
    expect(card.get_by_label("Data source of all rows")).to_have_value("bus")
    card.get_by_label("Replace the file's regions").check()
    card.get_by_role("button", name="Send again").click()
    ended = page.locator(".file[data-state=succeeded]", has_text="own.csv")
    expect(ended).to_contain_text("The region of 1 row was replaced by Replaceville", timeout=LONG)
    assert server.get("/api/v1/weekly-average?region=replaceville").json()["trips"] == 1
    context.close()


@pytest.mark.parametrize("cut", ["the server is killed", "the page is left"])
def test_an_upload_goes_on_where_it_was(browser: Browser, tmp_path: Path, cut: str) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        write_sample(file, 500_000)
    with a_server() as server, browser.new_context(viewport=WIDE) as context:
        page = context.new_page()
        page.set_default_timeout(LONG)
        page.goto(f"{server.url}/#/files")
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        # A slow line, so that there is a moment to cut it.
        line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 5_000_000}
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)
        offsets: list[int] = []
        page.on("request", lambda sent: offsets.append(int(sent.headers.get("upload-offset", 0))))
        page.locator("input[type=file]").set_input_files(path)
        page.wait_for_function("() => document.querySelector('[data-test=upload] progress')?.value > 0.3")
        uploads = server.data_dir / "uploads/tus"
        (part,) = uploads.glob("*.part")
        # What the browser has sent is there a moment later.
        for _ in range(600):
            if (kept := part.stat().st_size) > path.stat().st_size / 4:
                break
            page.wait_for_timeout(100)
        assert kept > path.stat().st_size / 4
        if cut == "the server is killed":
            server.kill_web()
        else:
            page.reload()
            expect(page.get_by_text("live", exact=True)).to_be_visible()
            page.locator("input[type=file]").set_input_files(path)
        expect(page.locator(".file[data-state=succeeded]", has_text="large.csv")).to_be_visible(timeout=2 * LONG)
        assert max(offsets) >= kept
        assert [one.stem for one in uploads.glob("*.json")] == [part.stem]
        assert server.get("/api/v1/weekly-average").json()["trips"] == 500_000


def test_rejected_rows_are_seen_and_downloaded(browser: Browser, server: Server, tmp_path: Path) -> None:
    with a_page(browser, server, "#/files") as page:
        card = page.locator(".file", has_text="faulty.csv")
        card.get_by_role("button", name="See 3 rejected rows").click()
        reasons = card.locator(".reasons li")
        expect(reasons.first).to_contain_text("latitude")
        expect(reasons.first.locator("strong")).to_have_text("2")
        expect(card.locator("tbody tr")).to_have_count(3)
        expect(card.locator("tbody tr").nth(2)).to_contain_text('"no, point"')
        with page.expect_download() as download:
            card.get_by_role("button", name="Download all 3").click()
        download.value.save_as(tmp_path / "rejections.csv")
        assert (tmp_path / "rejections.csv").read_text().count("\n") == 4


def _to_one_digit(number: float) -> str:
    """Return a number as the page shows it: browsers round halves up, Python to even."""
    return f"{Decimal(number).quantize(Decimal('0.1'), ROUND_HALF_UP):,}"


def test_a_box_is_drawn_and_its_number_is_the_apis(browser: Browser, server: Server) -> None:
    with a_page(browser, server, "#/map?at=14.42,50.08,11") as page:
        page.wait_for_selector(MAP)
        expect_answer_of_api(page, server)
        draw_box(page)
        drawn = area_of(page)
        expect_answer_of_api(page, server, bbox=drawn)
        assert number(page, "trips-one") > 0
        for name, match in (("end", "destination"), ("do both", "both"), ("do either", "either")):
            page.get_by_role("radio", name=name, exact=True).check()
            expect_answer_of_api(page, server, bbox=drawn, match=match)
        # Moved: it follows.
        page.mouse.move(690, 410)
        page.mouse.down()
        page.mouse.move(740, 440, steps=6)
        page.mouse.up()
        moved = area_of(page, drawn)
        assert moved != drawn
        expect_answer_of_api(page, server, bbox=moved, match="either")
        page.get_by_role("button", name="Remove the area").click()
        expect_answer_of_api(page, server)


def test_a_polygon_is_drawn(browser: Browser, server: Server) -> None:
    with a_page(browser, server, "#/map?at=14.42,50.08,11") as page:
        page.wait_for_selector(MAP)
        page.get_by_role("button", name="Draw a polygon").click()
        for corner in ((560, 300), (820, 320), (700, 560), (560, 300)):
            page.mouse.move(*corner, steps=3)
            page.mouse.click(*corner)
        expect(page.get_by_text("A polygon of 3 corners")).to_be_visible()
        ring = [[float(number) for number in point.split(",")] for point in area_of(page).split(";")]
        area = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        answer = server.post("/api/v1/weekly-average", json={"area": area}).json()
        expect(page.locator("[data-test=trips-one]")).to_have_text(f"{answer['trips']:,}", timeout=LONG)
        assert answer["trips"] > 0


def test_filters_narrow_the_answer(browser: Browser, server: Server) -> None:
    with a_page(browser, server) as page:
        page.get_by_label("Region").select_option("Hamburg")
        expect_answer_of_api(page, server, region="Hamburg")
        page.get_by_label("Data source").select_option("baba_car")
        expect_answer_of_api(page, server, region="Hamburg", datasource="baba_car")
        page.get_by_role("checkbox", name="Saturday").check()
        page.get_by_role("checkbox", name="Sunday").check()
        expect_answer_of_api(page, server, region="Hamburg", datasource="baba_car", weekdays="6,7")
        page.get_by_role("slider", name="First hour").press("End")
        page.get_by_role("slider", name="First hour").press("ArrowLeft")
        page.get_by_role("slider", name="Last hour").press("Home")
        filters = {"region": "Hamburg", "datasource": "baba_car", "weekdays": "6,7", "hours": "22-0"}
        expect_answer_of_api(page, server, **filters)
        page.get_by_label("From", exact=True).fill("2018-03-07")
        page.get_by_label("To", exact=True).fill("2018-09-12")
        expect_answer_of_api(page, server, **filters, **{"from": "2018-03-07", "to": "2018-09-12"})
        page.get_by_role("button", name="Reset").click()
        expect_answer_of_api(page, server)


def test_what_would_mislead_is_shown_below_the_number(browser: Browser) -> None:
    with a_server() as server, a_page(browser, server) as page:
        days = [*(f"2018-05-{day:02}" for day in range(7, 28)), "2091-01-01"]
        content = trips(*(a_trip("Stretched", day) for day in days))
        assert server.post("/upload-csv", files={"file": ("stretched.csv", content)}).status_code == 200
        answer = page.get_by_role("region", name="Weekly average")
        expect(answer.get_by_text("21 of 22 trips are in 3 of 3,792 weeks.")).to_be_visible()
        expect(answer.get_by_text("average of 3,791 whole weeks; 0.0058 over all 3,792 weeks")).to_be_visible()
        expect(answer.get_by_text("The series has only the weeks with trips, 4 of 3,792.")).to_be_visible()
        answer.get_by_role("button", name="Show only these weeks").click()
        expect(page.locator("[data-test=average-one]")).to_have_text("7.0")
        expect(page.locator("[data-test=weeks-one]")).to_have_text("average of 3 weeks")
        expect(answer.locator(".note")).to_have_count(0)
        assert state_of(page)["to"] == "2018-05-27"
        page.get_by_label("From", exact=True).fill("2018-05-09")
        expect(page.locator("[data-test=weeks-one]")).to_have_text("average of 2 whole weeks; 6.3 over all 3 weeks")
        expect(page.locator("[data-test=average-one]")).to_have_text("7.0")


def test_a_link_shares_the_view(browser: Browser, server: Server) -> None:
    with a_page(
        browser, server, "#/map?at=14.42,50.08,11&region=Prague", permissions=["clipboard-read", "clipboard-write"]
    ) as page:
        page.wait_for_selector(MAP)
        draw_box(page)
        page.get_by_role("radio", name="do either", exact=True).check()
        page.get_by_role("radio", name="Destinations", exact=True).check()
        page.get_by_role("checkbox", name="Monday").check()
        page.get_by_role("button", name="Compare").click()
        page.get_by_label("Region of the second area").select_option("Turin")
        expect(page.locator(".comparison")).to_contain_text("Turin")
        expect(page.locator(".answer[aria-busy=false]")).to_be_visible()
        figures = page.locator(".answer .big").all_inner_texts()
        page.get_by_role("button", name="Link").click()
        expect(page.get_by_text("Link copied")).to_be_visible()
        link = page.evaluate("navigator.clipboard.readText()")
    with a_page(browser, server, link.removeprefix(f"{server.url}/")) as other:
        expect(other.locator(".comparison")).to_be_visible(timeout=LONG)
        expect(other.locator(".answer[aria-busy=false]")).to_be_visible()
        assert other.locator(".answer .big").all_inner_texts() == figures
        expect(other.get_by_role("radio", name="Destinations")).to_be_checked()
        expect(other.get_by_role("checkbox", name="Monday")).to_be_checked()
        other.wait_for_selector(MAP)
        assert other.url == link


def brief(number: int) -> str:
    """A number as the page shows it where there is little room: 7.1k."""
    return str(number) if number < 1000 else f"{number / 1000:.1f}".removesuffix(".0") + "k"


def test_the_heat_is_what_the_api_counts(browser: Browser, server: Server) -> None:
    with a_page(browser, server, "#/map?at=14.42,50.08,11") as page:
        page.wait_for_selector(MAP)
        with page.expect_response(re.compile("/api/v1/cells")) as answered:
            page.get_by_role("radio", name="Destinations", exact=True).check()
        page.wait_for_selector(MAP)
        most = max(cell["trips"] for cell in answered.value.json()["cells"])
        expect(page.locator(".legend .ends span").nth(1)).to_have_text(re.compile(brief(most), re.IGNORECASE))
        page.get_by_role("radio", name="Flows", exact=True).check()
        with page.expect_download() as download:
            page.get_by_role("button", name="PNG").click()
        assert download.value.path().stat().st_size > 20_000


def test_the_series_is_downloaded(browser: Browser, server: Server) -> None:
    with a_page(browser, server, "#/map?region=Lisbon") as page:
        expect_answer_of_api(page, server, region="Lisbon")
        with page.expect_download() as download:
            page.get_by_role("button", name="CSV").click()
        series = server.get("/api/v1/weekly-average", params={"region": "Lisbon"}).json()["series"]
        lines = [f"{week['week']},{week['trips']}" for week in series]
        assert download.value.path().read_text().split() == ["week,trips", *lines]


def test_two_browsers_watch_one_ingestion(browser: Browser, server: Server) -> None:
    with a_page(browser, server, "#/files") as one, a_page(browser, server, "#/files") as two:
        for page in (one, two):
            expect(page.get_by_text("live", exact=True)).to_be_visible()
        content = trips(*(a_trip("Watched", f"2018-05-{day:02}") for day in range(1, 31)))
        assert server.post("/upload-csv", files={"file": ("watched.csv", content)}).status_code == 200
        for page in (one, two):
            card = page.locator(".file[data-state=succeeded]", has_text="watched.csv")
            expect(card).to_contain_text(re.compile(r"loaded\s*30"), timeout=LONG)


def test_it_outlives_a_restart_of_the_server(browser: Browser) -> None:
    with a_server() as server, browser.new_context(viewport=WIDE) as context:
        page = context.new_page()
        page.goto(f"{server.url}/#/files")
        expect(page.get_by_text("live", exact=True)).to_be_visible(timeout=LONG)
        server.stop()
        expect(page.get_by_text("The server does not answer")).to_be_visible(timeout=LONG)
        server.start_again()
        expect(page.get_by_text("The server does not answer")).to_have_count(0, timeout=LONG)
        answer = server.post("/upload-csv", files={"file": ("after.csv", trips(a_trip()))})
        assert answer.status_code == 200
        expect(page.locator(".file[data-state=succeeded]", has_text="after.csv")).to_be_visible(timeout=LONG)


def test_a_token_is_asked_for_where_one_is_needed(browser: Browser) -> None:
    with a_server() as server:
        answer = server.post("/upload-csv", files={"file": ("trips.csv", trips(a_trip()))})
        assert answer.status_code == 200
        made = subprocess.run(
            [sys.executable, "-m", "tripsmith", "token", "create", "desk", "--role", "reader", "--json"],
            env=os.environ | {"TRIPSMITH_DATA_DIR": str(server.data_dir)},
            capture_output=True,
            text=True,
            check=True,
        )
        token = json.loads(made.stdout)["token"]
        context = browser.new_context(viewport=WIDE)
        page = context.new_page()
        page.goto(f"{server.url}/#/map")
        late: list[Route] = []
        page.route(
            "**/api/v1/regions",
            lambda route: late.append(route) if "no-such" in str(route.request.headers) else route.continue_(),
        )
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("A token is needed", timeout=LONG)
        for typed in ("no-such-token", "no-such-token", token):
            dialog.get_by_label("Access token").fill(typed)
            dialog.get_by_role("button", name="Use it").click()
            if typed != token:
                expect(dialog).to_contain_text("not known", timeout=LONG)
        expect(dialog).to_have_count(0, timeout=LONG)
        expect(page.locator("[data-test=trips-one]")).to_have_text("1", timeout=LONG)
        expect(page.get_by_text("live", exact=True)).to_be_visible(timeout=LONG)
        # What was refused to the wrong token comes when the right one is there: nothing more is asked.
        with page.expect_response(lambda response: response.status == 401):
            late[0].continue_()
        page.wait_for_timeout(500)
        expect(dialog).to_have_count(0)
        page.reload()
        expect(page.locator("[data-test=trips-one]")).to_have_text("1", timeout=LONG)
        context.close()


def test_names_are_shown_as_text(browser: Browser, server: Server) -> None:
    name = "<img src=x onerror=alert(1)>"
    assert server.post("/upload-csv", files={"file": ("n.csv", trips(a_trip(name)))}).status_code == 200
    with a_page(browser, server, "#/metrics") as page:
        expect(page.get_by_role("button", name=name)).to_be_visible()


def test_an_area_is_made_and_typed_without_a_mouse(browser: Browser, server: Server) -> None:
    with a_page(browser, server, "#/map?at=14.42,50.08,11") as page:
        page.wait_for_selector(MAP)
        page.get_by_role("button", name="Box here").press("Enter")
        expect_answer_of_api(page, server, bbox=area_of(page))
        typed = page.get_by_role("textbox", name="Box: west")
        typed.fill("14.4, 50.0, 14.6, 50.1")
        typed.press("Enter")
        expect_answer_of_api(page, server, bbox="14.4,50,14.6,50.1")
        typed.fill("north of here")
        typed.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Four numbers in degrees")


def test_without_webgl_it_says_so_and_answers_all_the_same(playwright: Playwright, server: Server) -> None:
    with launch(playwright, "--disable-3d-apis") as browser:
        page = browser.new_page()
        page.goto(f"{server.url}/#/map?region=Turin")
        expect(page.get_by_text("The map needs WebGL")).to_be_visible(timeout=LONG)
        expect_answer_of_api(page, server, region="Turin")


def test_without_scripts_it_says_where_to_look(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    expect(page.get_by_role("link", name="reference")).to_have_attribute("href", "/api/docs")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nobody_is_kept_out(browser: Browser, server: Server, theme: str, size: dict[str, int]) -> None:
    with a_page(browser, server, "#/map?compare=yes&other-region=Turin", viewport=size, color_scheme=theme) as page:
        page.wait_for_selector(MAP)
        expect(page.locator(".comparison, .big").first).to_be_visible()
        page.evaluate(axe())
        for name in ("Map", "Files", "Metrics"):
            page.get_by_role("link", name=name, exact=True).click()
            if name == "Files":
                page.get_by_role("button", name="See 3 rejected rows").click()
                expect(page.locator(".rejections tbody tr")).to_have_count(3)
            page.wait_for_timeout(600)
            found = page.evaluate("axe.run()")["violations"]
            serious = [
                (violation["id"], [node["target"] for node in violation["nodes"]])
                for violation in found
                if violation["impact"] in ("serious", "critical")
            ]
            assert serious == [], name
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], name


def test_everything_comes_from_our_own_host(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport=WIDE)
    context.set_default_timeout(LONG)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/#/map?at=14.42,50.08,11")
    page.wait_for_selector(MAP)
    assert asked
    for url in asked:
        assert url.startswith((server.url, server.url.replace("http", "ws"), "blob:", "data:")), url
    context.close()


def test_the_header_of_the_examples_is_true() -> None:
    assert HEADER.strip() in (Path(__file__).parents[2] / "dashboard/src/shell/Welcome.tsx").read_text()
