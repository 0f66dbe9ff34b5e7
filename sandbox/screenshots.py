"""``make screenshots``: the pictures of the documents, taken in a sandbox in which people have done things.

Starts the demo's processes with a crowd of learners, walks one learner from a course to the credit bank, and
photographs the pages that ``SHOTS`` names, in a real Chromium, into docs/images/. Each is looked at before it
is committed: a picture that shows what is not so is worse than none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from sandbox.demo import Walk
from sandbox.people import PASSWORD
from sandbox.stage import ROOT, DemoFailed, Stage
from tests.support.browser import DESKTOP, FLAGS, PHONE, find_chromium

FOLDER = ROOT / "docs" / "images"
LEARNERS = 300
# Of the crowd, the one who is in the middle of the programme.
HALFWAY = "crowd-0001"
PROGRAMME_TH = "ชุดวิชาไพทอนเพื่องานข้อมูล"
# Colours of a picture: pages are flat, and the repository is not a photo album.
COLOURS = 128


@dataclass(frozen=True)
class Shot:
    """A picture of a page.

    Attributes:
        name: of the file, without extension. path: of the page. who: user name; empty for nobody.
        phone: on a telephone. whole: the whole page, else what the window shows.
        height: of the window, in CSS pixels. click: the link to follow first, by its name.
    """

    name: str
    path: str
    who: str = ""
    language: str = "th"
    phone: bool = False
    whole: bool = False
    height: int = 0
    click: str = ""


COURSE = "course-v1:KMUTT+PY101+2026"
BLOCK = f"{COURSE.replace('course-v1', 'block-v1')}+type@"
PICKS = f"/studio/blocks/{BLOCK}microcred_competency+block@says-selftest/edit/"
UNIT = f"/studio/units/{BLOCK}vertical+block@"
MAP = f"/microcred/competencies/courses/{COURSE}/"

SHOTS = (
    Shot("author-picks", PICKS, "author", "en", whole=True),
    Shot("author-picks-th", PICKS, "author", whole=True),
    Shot("author-view", f"{UNIT}unit8/", "author", "en", whole=True),
    Shot("author-view-th", f"{UNIT}unit8/", "author", whole=True),
    Shot("competency-map", MAP, "author", "en", height=1000),
    Shot("competency-map-th", MAP, "author", height=1000),
    Shot("learner-competencies", f"/courses/{COURSE}/self-test/", "learner", height=900),
    Shot("learner-ladder", f"/courses/{COURSE}/units/1/", "learner", whole=True),
    Shot("learner-ladder-phone", f"/courses/{COURSE}/units/1/", "learner", phone=True, whole=True),
    Shot("frameworks", "/microcred/staff/frameworks/", "author", "en", height=900),
    Shot("badges", "/microcred/", HALFWAY, height=1000),
    Shot("badges-phone", "/microcred/", HALFWAY, phone=True, height=900),
    Shot("programme", "/microcred/programmes/kmutt-python/", HALFWAY, height=1250),
    Shot("programme-phone", "/microcred/programmes/kmutt-python/", HALFWAY, phone=True, height=900),
    Shot("credential-phone", "/microcred/", "learner", phone=True, height=900, click=PROGRAMME_TH),
    Shot("exams", "/microcred/exams/", HALFWAY, height=900),
    Shot("credits", "/microcred/credits/", "learner", height=1000),
    Shot("credits-phone", "/microcred/credits/", "learner", phone=True, height=900),
    Shot("my-data", "/microcred/data/", "learner", height=900),
    Shot("staff", "/microcred/staff/", "officer", height=800),
    Shot("exam-desk", "/microcred/staff/exams/", "officer", height=1000),
    Shot("credit-desk", "/microcred/staff/credits/", "credit", height=1000),
    Shot("funnel", "/microcred/staff/reports/", "author", height=1300),
)


def photograph(stage: Stage, folder: Path, shots: Iterable[Shot]) -> None:
    """Take the pictures.

    Raises:
        DemoFailed: a page does not answer with 200.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=FLAGS, headless=True)
        for shot in shots:
            size = PHONE if shot.phone else DESKTOP
            context = browser.new_context(
                viewport={**size, "height": shot.height or size["height"]},
                locale=shot.language,
                base_url=stage.web,
                device_scale_factor=2 if shot.phone else 1,
            )
            page = context.new_page()
            if shot.who:
                sign_in(page, shot.who)
            joined = "&" if "?" in shot.path else "?"
            answer = page.goto(f"{shot.path}{joined}lang={shot.language}")
            if answer is None or answer.status != 200:
                raise DemoFailed(f"{shot.path} answered {answer and answer.status}")
            if shot.click:
                page.get_by_role("link", name=shot.click, exact=True).click()
            page.wait_for_load_state("networkidle")
            keep(page.screenshot(full_page=shot.whole), folder / f"{shot.name}.png")
            context.close()
            print(f"   {shot.name}.png", flush=True)
        browser.close()


def sign_in(page: Any, username: str) -> None:
    """Sign in with the password that all people of the sandbox have."""
    page.goto("/login/")
    form = page.locator("form:has(input[name=password])")
    form.locator("input[name=username]").fill(username)
    form.locator("input[name=password]").fill(PASSWORD)
    form.locator("button").click()


def keep(content: bytes, file: Path) -> None:
    """Write a picture with few colours, which is a quarter of the size."""
    picture = Image.open(BytesIO(content)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


def main() -> int:
    """Take all pictures, or those whose names are given; return 0 if every page was there."""
    named = set(sys.argv[1:])
    unknown = named - {shot.name for shot in SHOTS}
    if unknown:
        print(f"There is no picture {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    folder = Path(os.environ.get("MICROCRED_PICTURES", FOLDER))
    try:
        with Stage(ROOT / "build" / "screenshots", crowd=LEARNERS) as stage:
            Walk(stage).run()
            photograph(stage, folder, [shot for shot in SHOTS if not named or shot.name in named])
    except DemoFailed as failure:
        print(f"\n ✗ {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
