"""Frameworks in a real browser: a programme officer brings a table in, looks, and does it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mooc_microcred.competencies.models import Competency, Framework
from mooc_microcred.core.models import StaffRole
from tests.support.browser import DESKTOP, PHONE, accessibility_problems, overflow, photograph

pytestmark = pytest.mark.django_db
TABLE = (
    "code,statement_th,statement_en,domain,miller,nqf,parent\n"
    "DX,ทักษะดิจิทัล,Digital skills,,,,\n"
    "DX-1,สืบค้นและประเมินสารสนเทศ,Finds and judges information,skills,shows_how,5,DX\n"
    "DX-2,ใช้ข้อมูลอย่างรับผิดชอบ,Uses data responsibly,ethics,does,5,DX\n"
    "DX-3,อธิบายหลักความเป็นส่วนตัว,Explains privacy,knowledge,knows_how,4,DX\n"
)


def sound(page, name):
    photograph(page, name)
    assert accessibility_problems(page) == []
    assert overflow(page) <= 0
    assert page.complaints == []


@pytest.fixture
def officer(people):
    """The sandbox's course author is programme officer of KMUTT, too."""
    user = people["author"]
    StaffRole.objects.get_or_create(user_id=user.id, role="programme_officer", organization="KMUTT")
    return user


@pytest.mark.parametrize(
    ("viewport", "shape", "language"), [(DESKTOP, "desktop", "en"), (PHONE, "phone", "th")]
)
def test_an_officer_brings_a_framework_in_by_keyboard(
    open_page, officer, tmp_path, viewport, shape, language
):
    file = tmp_path / "digital.csv"
    file.write_text("\ufeff" + TABLE, encoding="utf-8")
    path = reverse("mooc_microcred:page-frameworks")
    page = open_page(path, user=officer, language=language, viewport=viewport, scripts=True)
    page.locator("#mc-file").set_input_files(str(file))
    page.locator("#mc-title-th").focus()
    page.keyboard.type("กรอบสมรรถนะดิจิทัล")
    page.keyboard.press("Tab")
    page.keyboard.type("Digital framework")
    page.keyboard.press("Enter")
    page.wait_for_url("**/imports/**")
    assert not Framework.objects.filter(title_en="Digital framework").exists()
    assert page.locator("tbody tr").count() == 4
    sound(page, f"framework-preview-{language}-{shape}")
    page.locator("form.mc-form button").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/imports/" not in address)
    assert Framework.objects.get(title_en="Digital framework").state == "published"
    assert Competency.objects.filter(code__startswith="DX").count() == 4
    sound(page, f"framework-{language}-{shape}")
    page.goto(path)
    sound(page, f"frameworks-{language}-{shape}")
    # The same file again: nothing would change, and the page says so.
    page.locator("#mc-file").set_input_files(str(file))
    page.locator("#mc-framework").select_option(index=1)
    page.locator("#mc-import form button").click()
    page.wait_for_url("**/imports/**")
    assert page.locator("tbody tr").count() == 0
    # A file that is none is refused beside the form, on the same page.
    page.goto(path)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("nothing,of,this\n1,2,3\n", encoding="utf-8")
    page.locator("#mc-file").set_input_files(str(wrong))
    page.locator("#mc-import form button").click()
    page.wait_for_selector("#mc-import-problem")
    page.complaints.clear()
    sound(page, f"framework-refused-{language}-{shape}")


def test_frameworks_are_read_without_scripts(open_page, officer, skills):
    path = reverse("mooc_microcred:page-framework", args=[skills.identifier])
    page = open_page(path, user=officer, scripts=False)
    assert page.locator("#mc-items tbody tr").count() == 8
    page.goto(reverse("mooc_microcred:page-frameworks"))
    page.get_by_role("link", name="Digital skills").click()
    assert page.url.endswith(path)
