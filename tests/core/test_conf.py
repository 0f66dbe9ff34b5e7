import pytest

from mooc_microcred.core.conf import DEFAULTS, microcred_settings


def test_an_operator_s_value_wins_over_the_default(settings):
    settings.MOOC_MICROCRED = {"CACHE_TTL": 5}
    assert microcred_settings.CACHE_TTL == 5
    assert DEFAULTS["KICK_INTERVAL"] == microcred_settings.KICK_INTERVAL


def test_without_the_dict_all_defaults_hold(settings):
    settings.MOOC_MICROCRED = {"CACHE_TTL": 5}
    del settings.MOOC_MICROCRED
    assert microcred_settings.PLATFORM is None


def test_a_setting_that_does_not_exist_is_an_error_not_none():
    with pytest.raises(AttributeError, match="CASHE_TTL"):
        microcred_settings.CASHE_TTL  # noqa: B018


def test_a_dotted_path_is_imported_and_an_object_is_taken_as_it_is(settings):
    settings.MOOC_MICROCRED = {"PLATFORM": "tests.support.memory_platform.the_platform"}
    from tests.support.memory_platform import the_platform

    assert microcred_settings.imported("PLATFORM") is the_platform
    settings.MOOC_MICROCRED = {"PLATFORM": the_platform}
    assert microcred_settings.imported("PLATFORM") is the_platform
