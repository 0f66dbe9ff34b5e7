"""A population on the platform in memory, and people who ask for its figures."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.roles import Actor
from mooc_microcred.reporting import api as reporting
from tests.reporting.population import BANK, live, load_definitions


@pytest.fixture
def bank(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": {"thai-bank": BANK}}


@pytest.fixture
def populate(db, bank, platform):
    """Return a function that makes learners and returns their lives."""
    load_definitions()

    def make(learners: int = 250, seed: int = 7, first_id: int = 1):
        def enrol(learner, run, since, started):
            platform.enrol(learner, run, since)
            if started is not None:
                platform.complete(learner, run, 1, 4, at=started)

        return live(learners=learners, seed=seed, enrol=enrol, first_id=first_id)

    return make


@pytest.fixture
def count():
    """Return a function that counts everybody anew and says in how many turns."""

    def run(**options) -> int:
        turns, again = 0, True
        while reporting.refresh_figures(again=again, **options):
            turns, again = turns + 1, False
        return turns

    return run


@pytest.fixture
def person(db):
    """Return a function that makes a user with a role for an organisation ("" means all)."""

    def make(role: str, organization: str = ""):
        user = get_user_model().objects.create_user(f"{role}-{organization or 'all'}", password=None)
        StaffRole.objects.create(user_id=user.pk, role=role, organization=organization)
        return user

    return make


@pytest.fixture
def officer(person):
    """Return who may see every figure exactly."""
    return Actor.of(person("programme_officer"))
