import pytest
from django.core.management import CommandError, call_command

from mooc_microcred.achievements.models import Award, EvaluationRequest, Feed
from mooc_microcred.core.sweeper import sweep
from tests.support import definitions

RUN = definitions.RUN
OTHER = "course-v1:CU+ENG1+2026"

pytestmark = pytest.mark.django_db


def reconcile(capsys, *arguments) -> str:
    call_command("microcred_reconcile", *arguments)
    return capsys.readouterr().out


@pytest.fixture
def three_learners(platform):
    """Two have certificates of which no event told; one is enrolled only."""
    definitions.level1("l1", mode="mirror")
    for learner in (1, 2, 3):
        platform.enrol(learner, RUN)
    platform.certify(1, RUN)
    platform.certify(2, RUN)
    return platform


def test_the_dry_run_counts_and_writes_nothing(three_learners, capsys, django_assert_max_num_queries):
    out = reconcile(capsys, "--course", RUN)
    assert f"{RUN}: 3 learners, 2 awards to issue, 0 to change" in out
    assert "Nothing was written" in out
    assert not Award.objects.exists()
    assert not EvaluationRequest.objects.exists()
    assert not Feed.objects.exists()


@pytest.mark.parametrize("what", [["--course", RUN], ["--organization", "KMUTT"], ["--all"]])
def test_with_commit_the_missed_awards_come_by_the_same_path_as_events(three_learners, capsys, what):
    assert "requested: 3" in reconcile(capsys, *what, "--commit")
    assert set(EvaluationRequest.objects.values_list("reason", flat=True)) == {"reconcile"}
    sweep()
    assert set(Award.objects.values_list("learner_id", flat=True)) == {1, 2}
    assert ": 3 learners, 0 awards to issue, 0 to change" in reconcile(capsys, "--course", RUN)


def test_another_organisation_is_left_alone(three_learners, capsys):
    assert "No active achievement" in reconcile(capsys, "--organization", "CU", "--commit")
    assert not EvaluationRequest.objects.exists()


def test_an_interrupted_run_is_gone_on_with(three_learners, capsys):
    from mooc_microcred.achievements import api

    api.start_feed(reason="reconcile", course_key=RUN)
    assert "requested: 3" in reconcile(capsys, "--resume")
    assert "requested: 0" in reconcile(capsys, "--resume")


@pytest.mark.parametrize(
    ("key", "says"), [("PY101", "not a course key"), ("course-v1:No+Such+Run", "no course run")]
)
def test_a_wrong_key_is_refused_before_anything_is_written(three_learners, key, says):
    with pytest.raises(CommandError, match=says):
        call_command("microcred_reconcile", "--course", RUN, key, "--commit")
    assert not Feed.objects.exists()


def test_the_platform_being_away_is_said_and_nothing_is_lost(three_learners):
    three_learners.away = True
    with pytest.raises(CommandError, match="run again later"):
        call_command("microcred_reconcile", "--course", RUN)
    with pytest.raises(CommandError):
        call_command("microcred_reconcile")
