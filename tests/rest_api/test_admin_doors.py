"""Every address of the suite's admin pages, called by those who have no business there."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from tests.rest_api.world import OTHER, snapshot

# The pages of the admin that show no row: opening them is no leak.
EMPTY_PAGES = ("_changelist", "_add")


def addresses():
    """Return (name, address) of every admin page, for the first row of each table."""
    found = []
    for model, page in admin.site._registry.items():
        if model._meta.app_label != "mooc_microcred":
            continue
        row = model.objects.order_by("pk").first()
        for pattern in page.get_urls():
            if pattern.name is None:
                continue  # Django's redirect of addresses of long ago
            places = pattern.pattern.converters
            arguments = dict.fromkeys(places, row.pk if row else 1)
            found.append((pattern.name, reverse(f"admin:{pattern.name}", kwargs=arguments)))
    return found


@pytest.mark.parametrize("person", ["anonymous", "ann", f"programme_officer@{OTHER}"])
def test_who_is_no_member_of_staff_is_sent_to_the_sign_in(world, as_person, person):
    client = as_person(person)
    before = snapshot()
    pages = addresses()
    assert len(pages) > 40
    for name, address in pages:
        for answer in (client.get(address), client.post(address, {"action": "x", "post": "yes"})):
            assert answer.status_code == 302, name
            assert answer["Location"].startswith("/admin/login/"), name
    assert snapshot() == before


@pytest.mark.parametrize(
    "role", ["programme_officer", "exam_officer", "credit_officer", "verifier", "auditor"]
)
def test_an_officer_of_another_organisation_opens_no_row_and_changes_nothing(world, as_person, role):
    """With every permission that Django knows: the role decides whose rows they are."""
    user = world.person(f"{role}@{OTHER}")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="mooc_microcred"))
    client = as_person(f"{role}@{OTHER}")
    before = snapshot()
    for name, address in addresses():
        answer = client.get(address)
        assert answer.status_code in (200, 302, 403, 404), name
        if answer.status_code == 200 and not name.endswith(EMPTY_PAGES):
            assert OTHER in answer.content.decode(), f"{name} shows a row of another organisation"
        posted = client.post(address, {"post": "yes"})
        assert posted.status_code < 500, name
    assert snapshot() == before
