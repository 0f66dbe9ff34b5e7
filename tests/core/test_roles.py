import pytest
from django.contrib.auth.models import AnonymousUser, User

from mooc_microcred.core.errors import NotAllowed
from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.roles import Actor, Role

pytestmark = pytest.mark.django_db


def give(user_id, role, organization=""):
    StaffRole.objects.create(user_id=user_id, role=role, organization=organization)


def test_a_role_for_one_organisation_opens_no_other():
    give(7, Role.EXAM_OFFICER, "KMUTT")
    actor = Actor(user_id=7)
    actor.require(Role.EXAM_OFFICER, "KMUTT")
    with pytest.raises(NotAllowed):
        actor.require(Role.EXAM_OFFICER, "CU")
    with pytest.raises(NotAllowed):
        actor.require(Role.EXAM_SIGNATORY, "KMUTT")
    assert actor.organizations(Role.EXAM_OFFICER) == {"KMUTT"}


def test_a_role_for_all_organisations_opens_each():
    give(7, Role.AUDITOR)
    actor = Actor(user_id=7)
    actor.require(Role.AUDITOR, "KMUTT")
    assert actor.organizations(Role.AUDITOR) is None
    assert actor.organizations(Role.EXAM_OFFICER) == set()


def test_one_of_several_roles_is_enough():
    give(7, Role.AUDITOR, "CU")
    assert Actor(user_id=7).has([Role.CREDIT_OFFICER, Role.AUDITOR], "CU")


def test_a_superuser_may_do_everything_while_active():
    assert Actor.of(User(id=1, is_superuser=True, is_active=True)).has(Role.VERIFIER, "CU")
    assert not Actor.of(User(id=1, is_superuser=True, is_active=False)).has(Role.VERIFIER, "CU")


def test_nobody_holds_no_role_even_where_a_row_has_no_user():
    give(0, Role.VERIFIER)
    assert Actor.of(AnonymousUser()).roles == set()
    assert Actor.of(AnonymousUser()).organizations(Role.VERIFIER) == set()


def test_roles_are_read_once(django_assert_num_queries):
    give(7, Role.AUDITOR, "CU")
    actor = Actor(user_id=7)
    with django_assert_num_queries(1):
        for _ in range(5):
            actor.has(Role.AUDITOR, "CU")
