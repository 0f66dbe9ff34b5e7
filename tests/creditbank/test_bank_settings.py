"""What is wrong with MOOC_MICROCRED["BANKS"] is said before anything is sent."""

import pytest
from django.core.checks import run_checks

from mooc_microcred.creditbank import api
from tests.creditbank.conftest import SECRET, https_settings


class Here:
    url = "http://127.0.0.1:1/deliveries"


def right(**changes):
    return https_settings(Here, **changes)


def options(**changes):
    return right(options={**right()["options"], **changes})


FILES = "mooc_microcred.creditbank.backends.file_drop.FileDropBackend"


@pytest.mark.parametrize(
    "bank",
    [
        right(),
        right(organizations=["KMUTT"], kinds=("level1",)),
        options(url="https://bank.example.ac.th/api/v1/deliveries", allow_http_on_loopback=False),
        right(backend=FILES, options={}),
        right(backend=FILES, options={"folder": "bank/out"}),
    ],
)
def test_a_bank_that_is_right_has_no_findings(configure, bank):
    configure(BANKS={"central": bank})
    assert api.check_bank_settings() == []


@pytest.mark.parametrize(
    ("bank", "where"),
    [
        (None, "BANKS']['central']"),
        ({}, "['name']"),
        ({**right(), "backend": "no.such.Thing"}, "['backend']"),
        ({**right(), "backend": "decimal.Decimal"}, "['backend']"),
        (right(name={"fr": "x"}), "['name']"),
        (right(organizations="KMUTT"), "['organizations']"),
        (right(kinds=["level3"]), "['kinds']"),
        (right(kinds=[]), "['kinds']"),
        (right(requires_identity="yes"), "['requires_identity']"),
        (right(consent_text={"version": "", "th": "x", "en": "x"}), "['version']"),
        (right(consent_text={"version": "1", "th": "x"}), "['en']"),
        (right(colour="blue"), "['colour']"),
        (options(url="http://bank.example.com/"), "['url']"),
        (options(allow_http_on_loopback=False), "['url']"),
        (options(url="https://user:word@bank.example.com/"), "['url']"),
        (options(url="https://[half"), "['url']"),
        (options(url="ftp://127.0.0.1/"), "['url']"),
        (options(secret="too short"), "['secret']"),
        (options(key_id="with space"), "['key_id']"),
        (options(timeout=0), "['timeout']"),
        (options(retries=3), "['retries']"),
        (right(backend=FILES, options={"storage": "default"}), "['storage']"),
        (right(backend=FILES, options={"storage": "nowhere"}), "['storage']"),
        (right(backend=FILES, options={"folder": "../up"}), "['folder']"),
        (right(backend=FILES, options={"folder": "/etc"}), "['folder']"),
    ],
)
def test_a_bank_that_is_wrong_is_named_with_the_key_and_without_secrets(configure, bank, where):
    configure(BANKS={"central": bank})
    findings = api.check_bank_settings()
    assert any(where in finding.where for finding in findings), findings
    assert not any(SECRET in str(finding) for finding in findings)


def test_a_bank_that_can_never_get_an_award_is_a_finding(configure):
    configure(BANKS={"all": right(), "late": right(organizations=["KMUTT"])})
    assert ["late" in one.where for one in api.check_bank_settings()] == [True]
    configure(BANKS={"own": right(organizations=["KMUTT"]), "rest": right()})
    assert api.check_bank_settings() == []


def test_banks_that_are_no_dict_are_a_finding(configure):
    configure(BANKS=["central"])
    assert len(api.check_bank_settings()) == 1


def test_the_findings_are_said_by_manage_py_check(configure):
    configure(BANKS={"central": right(kinds=["level3"])})
    assert any("kinds" in str(message) for message in run_checks())


def test_a_code_that_does_not_fit_its_column_is_a_finding(configure):
    configure(BANKS={"Central Bank": right()})
    assert len(api.check_bank_settings()) == 1
