import pytest

from tests.competencies.frameworks import make_framework


@pytest.fixture
def english(db):
    """Return a published framework with a small tree: EN, EN-1, EN-1.1, EN-1.2, EN-2."""
    return make_framework()
