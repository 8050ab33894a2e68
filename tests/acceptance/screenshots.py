"""Makes the pictures in docs/screenshots: every page in light and dark, wide and on a phone."""

import io
import shutil

from chromium import ROOT, WITH_WEBGL, launch
from playwright.sync_api import Browser, Page, sync_playwright
from test_live_server import a_server, a_trip, trips

from tripsmith.sample.generator import write_sample

OUT = ROOT / "docs/screenshots"
WIDE, PHONE = {"width": 1360, "height": 850}, {"width": 390, "height": 844}
MAP = "[data-test=map][data-ready=true]"
ROWS = 500_000
SETTLE_MS = 1500

POLYGON = "14.47,50.03;14.55,50.0;14.6,50.04;14.53,50.08"
PAGES = {
    "map": "#/map?region=Prague",
    "flows": "#/map?layer=flows&region=Hamburg&at=10.02,53.555,11",
    "area": "#/map?layer=destinations&region=Prague&hours=6-10&match=destination&area=14.395,50.07,14.46,50.11",
    "compare": "#/map?region=Prague&area=14.38,50.06,14.46,50.105&compare=yes&other-region=Prague"
    f"&other-area={POLYGON}",
    "files": "#/files",
    "metrics": "#/metrics",
}
FAULTY = trips(
    *(a_trip("Prague", f"2018-05-{day:02}") for day in range(1, 31)),
    *(
        f"Prague,POINT (14.5 {latitude}),POINT (14.41 50.09),2018-05-01 10:00:00,cheap_mobile"
        for latitude in (95, 96, 120)
    ),
    "Prague,nowhere,POINT (14.41 50.09),2018-05-01 10:00:00,cheap_mobile",
    ",POINT (14.5 50.05),POINT (14.41 50.09),2018-05-01 10:00:00,cheap_mobile",
)


def take(browser: Browser, url: str, name: str) -> None:
    """Take a page in both sizes and colours."""
    for size, viewport in (("wide", WIDE), ("phone", PHONE)):
        for theme in ("light", "dark"):
            context = browser.new_context(
                viewport=viewport, color_scheme=theme, locale="en-GB", reduced_motion="reduce", device_scale_factor=1
            )
            page = context.new_page()
            page.goto(url)
            settle(page, is_map="/map" in url and name != "empty")
            if name == "files":
                page.get_by_role("button", name="rejected rows").click()
                page.wait_for_selector(".rejections tbody tr")
            page.screenshot(path=OUT / f"{name}-{size}-{theme}.png")
            context.close()


def settle(page: Page, *, is_map: bool) -> None:
    page.wait_for_selector(MAP if is_map else "h1")
    page.wait_for_timeout(SETTLE_MS if is_map else 2 * SETTLE_MS)
    if is_map:
        page.wait_for_selector(MAP)


def shrink() -> None:
    """Fewer colours make files of a quarter the size; nobody sees the difference."""
    from PIL import Image

    for path in OUT.glob("*.png"):
        Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


def main() -> None:
    """Make all pictures anew."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    sample = io.BytesIO()
    write_sample(sample, ROWS, 1)
    with sync_playwright() as playwright, launch(playwright, *WITH_WEBGL) as browser, a_server() as server:
        take(browser, f"{server.url}/#/map", "empty")
        for name, content in (("trips-2018.csv", sample.getvalue()), ("prague-may.csv", FAULTY)):
            server.post("/upload-csv", files={"file": (name, content)}).raise_for_status()
        for name, hash in PAGES.items():
            take(browser, f"{server.url}/{hash}", name)
    shrink()


if __name__ == "__main__":
    main()
