"""What every implementation of the platform port must do, as tests that each of them runs.

A test class for an implementation inherits from :class:`PlatformContract` and gives a ``world``
fixture: an object that sets the truth the way that implementation's platform holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import pytest

from mooc_microcred.core.platform import (
    CompletionState,
    CourseState,
    GradeState,
    Platform,
    ScoreQuery,
    StateQuery,
)

PY101 = "course-v1:KMUTT+PY101+2026"
PY101_RERUN = "course-v1:KMUTT+PY101+2027"
PY102 = "course-v1:KMUTT+PY102+2026"
PROBLEM = "block-v1:KMUTT+PY101+2026+type@problem+block@p1"


class World(Protocol):
    """How a contract test sets the truth of a platform."""

    platform: Platform

    def add_course(self, course_key: str, *, title: str = "", units: int = 4) -> None: ...

    def add_learner(self, username: str, *, name: str = "", email: str = "") -> int: ...

    def enrol(self, learner: int, course_key: str, *, mode: str = "honor") -> None: ...

    def unenrol(self, learner: int, course_key: str) -> None: ...

    def complete(self, learner: int, course_key: str, units: int) -> None: ...

    def grade(self, learner: int, course_key: str, percent: int, *, passed: bool) -> None: ...

    def certify(self, learner: int, course_key: str, status: str = "downloadable") -> None: ...

    def score(self, learner: int, course_key: str, block: str, earned: float, possible: float) -> str:
        """Give a learner points for a problem, by its block id; return its usage key."""

    def invalidate(self, learner: int, course_key: str) -> None: ...

    def show_certificates_from(self, course_key: str, moment: datetime) -> None: ...

    def break_reads(self) -> None: ...

    def elsewhere(self, change: Callable[[], None]) -> None:
        """Run a change by another connection than the port reads with."""

    def queries(self, call: Callable[[], object]) -> int:
        """Return the number of queries that a call makes."""


class PlatformContract:
    """The contract: to be inherited by a test class with a ``world`` fixture."""

    @pytest.fixture
    def port(self, world) -> Platform:
        return world.platform

    @pytest.fixture
    def learner(self, world) -> int:
        world.add_course(PY101, title="Programming Basics")
        learner = world.add_learner("somying", name="สมหญิง ใจดี", email="somying@example.ac.th")
        world.enrol(learner, PY101)
        return learner

    @staticmethod
    def read(port: Platform, learner: int, course_key: str = PY101, **wanted) -> CourseState:
        query = StateQuery(learner, course_key, **wanted)
        return port.read_states([query])[learner, course_key]

    # --- states ---

    def test_every_query_has_an_answer_even_where_there_is_nothing(self, port, learner):
        queries = [StateQuery(learner, PY101), StateQuery(learner + 9999, PY101), StateQuery(learner, PY102)]
        states = port.read_states(queries)
        assert set(states) == {(one.learner_id, one.course_key) for one in queries}
        assert all(state.certificate is None and state.grade is None for state in states.values())

    def test_no_query_at_all_has_an_empty_answer(self, port, world):
        assert dict(port.read_states([])) == {}

    def test_a_certificate_is_read_with_its_id_and_date(self, port, world, learner):
        world.certify(learner, PY101)
        certificate = self.read(port, learner).certificate
        assert (certificate.status, certificate.mode) == ("downloadable", "honor")
        assert len(certificate.uuid) == 32
        assert int(certificate.uuid, 16)
        assert certificate.issued_at is not None
        assert certificate.issued_at.utcoffset() is not None
        assert certificate.shown
        assert not certificate.invalidated

    @pytest.mark.parametrize("status", ["notpassing", "unverified", "unavailable"])
    def test_a_certificate_keeps_the_platforms_own_word_for_its_status(self, port, world, learner, status):
        world.certify(learner, PY101)
        before = self.read(port, learner).certificate
        world.certify(learner, PY101, status)
        after = self.read(port, learner).certificate
        assert after.status == status
        assert after.uuid == before.uuid

    def test_a_certificate_that_a_person_invalidated_says_so(self, port, world, learner):
        world.certify(learner, PY101)
        world.invalidate(learner, PY101)
        certificate = self.read(port, learner).certificate
        assert certificate.status == "unavailable"
        assert certificate.invalidated

    def test_a_certificate_with_a_later_date_exists_and_is_not_shown(self, port, world, learner):
        world.certify(learner, PY101)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        world.show_certificates_from(PY101, tomorrow)
        certificate = self.read(port, learner).certificate
        assert certificate.status == "downloadable"
        assert not certificate.shown
        assert certificate.shown_from == tomorrow

    def test_a_certificate_is_shown_from_its_date_on(self, port, world, learner):
        world.certify(learner, PY101)
        world.show_certificates_from(PY101, datetime.now(UTC) - timedelta(seconds=1))
        assert self.read(port, learner).certificate.shown

    def test_a_grade_is_in_percent_and_says_whether_it_passes(self, port, world, learner):
        world.grade(learner, PY101, 80, passed=True)
        assert self.read(port, learner, grade=True).grade == GradeState(Decimal(80), True)

    def test_completion_counts_units(self, port, world, learner):
        world.complete(learner, PY101, 3)
        assert self.read(port, learner, completion=True).completion == CompletionState(3, 4)

    def test_what_was_not_asked_for_is_not_answered(self, port, world, learner):
        world.grade(learner, PY101, 80, passed=True)
        world.complete(learner, PY101, 3)
        state = self.read(port, learner)
        assert state.grade is None
        assert state.completion is None

    def test_learners_and_runs_are_not_mixed_up(self, port, world, learner):
        world.add_course(PY102)
        other = world.add_learner("somchai")
        for who, course, percent in ((learner, PY101, 70), (learner, PY102, 40), (other, PY101, 90)):
            world.enrol(who, course)
            world.grade(who, course, percent, passed=percent >= 60)
        world.certify(learner, PY101)
        queries = [
            StateQuery(who, course, grade=True) for who in (learner, other) for course in (PY101, PY102)
        ]
        states = port.read_states(queries)
        assert {pair: state.grade and state.grade.percent for pair, state in states.items()} == {
            (learner, PY101): 70,
            (learner, PY102): 40,
            (other, PY101): 90,
            (other, PY102): None,
        }
        assert [pair for pair, state in states.items() if state.certificate] == [(learner, PY101)]

    def test_a_change_by_another_connection_is_seen_by_the_next_read_of_this_process(
        self, port, world, learner
    ):
        everything = {"grade": True, "completion": True}
        assert self.read(port, learner, **everything).certificate is None

        def change():
            world.grade(learner, PY101, 80, passed=True)
            world.complete(learner, PY101, 4)
            world.certify(learner, PY101)

        world.elsewhere(change)
        state = self.read(port, learner, **everything)
        assert state.certificate.status == "downloadable"
        assert state.grade.percent == 80
        assert state.completion.completed == 4
        world.elsewhere(lambda: world.certify(learner, PY101, "notpassing"))
        assert self.read(port, learner).certificate.status == "notpassing"

    def test_reading_costs_the_same_for_one_learner_and_for_many(self, port, world):
        world.add_course(PY101)
        world.add_course(PY102)
        learners = [world.add_learner(f"learner{number}") for number in range(12)]
        for one in learners:
            for course in (PY101, PY102):
                world.enrol(one, course)
                world.grade(one, course, 80, passed=True)
                world.complete(one, course, 2)
                world.certify(one, course)

        def read(who):
            queries = [
                StateQuery(one, course, grade=True, completion=True)
                for one in who
                for course in (PY101, PY102)
            ]
            return port.read_states(queries)

        few = world.queries(lambda: read(learners[:1]))
        assert world.queries(lambda: read(learners)) == few
        for call in (port.read_enrolments, port.read_learners):
            few = world.queries(lambda call=call: call(learners[:1]))
            assert world.queries(lambda call=call: call(learners)) == few

    def test_a_read_that_fails_raises_and_never_says_that_there_is_nothing(self, port, world, learner):
        from mooc_microcred.core.platform import PlatformUnavailable

        world.break_reads()
        for call in (
            lambda: self.read(port, learner),
            lambda: port.read_block_scores([ScoreQuery(learner, PY101, (PROBLEM,))]),
            lambda: port.read_enrolments([learner]),
            lambda: port.enrolled_learners([PY101], after=0, limit=10),
            lambda: port.list_enrolments([PY101], after=0, limit=10),
            lambda: port.read_courses([PY101]),
            lambda: port.list_certificates({PY101}, after=0, limit=10),
            lambda: port.course_runs([("KMUTT", "PY101")]),
            lambda: port.read_learners([learner]),
            lambda: port.find_learners(usernames=["somying"]),
            lambda: port.would_issue_certificate(learner, PY101),
            lambda: port.request_certificate(learner, PY101),
        ):
            with pytest.raises(PlatformUnavailable):
                call()

    # --- scores ---

    def test_scores_are_read_by_block_and_what_was_not_attempted_is_absent(self, port, world, learner):
        first = world.score(learner, PY101, "p1", 3, 4)
        nought = world.score(learner, PY101, "p2", 0, 2)
        other = world.add_learner("somchai")
        world.enrol(other, PY101)
        untouched = first.replace("p1", "p3")
        found = port.read_block_scores(
            [ScoreQuery(one, PY101, (first, nought, untouched)) for one in (learner, other)]
        )
        assert {block: one.percent for block, one in found[learner, PY101].items()} == {first: 75, nought: 0}
        assert not found.get((other, PY101))
        assert found[learner, PY101][first].possible == 4
        assert first not in port.read_block_scores([ScoreQuery(learner, PY101, (nought,))])[learner, PY101]
        assert not port.read_block_scores([])

    def test_a_score_that_changed_is_read_anew(self, port, world, learner):
        block = world.score(learner, PY101, "p1", 1, 4)
        query = [ScoreQuery(learner, PY101, (block,))]
        assert port.read_block_scores(query)[learner, PY101][block].percent == 25
        world.score(learner, PY101, "p1", 4, 4)
        assert port.read_block_scores(query)[learner, PY101][block].percent == 100

    def test_scores_of_many_learners_cost_as_many_queries_as_those_of_one(self, port, world):
        world.add_course(PY101)
        learners = [world.add_learner(f"learner{number}") for number in range(6)]
        blocks = set()
        for one in learners:
            world.enrol(one, PY101)
            blocks |= {world.score(one, PY101, f"p{number}", 1, 2) for number in range(3)}

        def read(who):
            queries = [ScoreQuery(one, PY101, tuple(sorted(blocks))) for one in who]
            return port.read_block_scores(queries)

        few = world.queries(lambda: read(learners[:1]))
        assert world.queries(lambda: read(learners)) == few
        assert sum(len(one) for one in read(learners).values()) == 18

    # --- certificates in bulk ---

    def test_certificates_are_listed_in_pages_each_once_as_they_are_read_singly(self, port, world):
        for course in (PY101, PY102):
            world.add_course(course)
        learners = [world.add_learner(f"learner{number}") for number in range(5)]
        for one in learners:
            for course in (PY101, PY102):
                world.enrol(one, course)
                world.certify(one, course)
        world.certify(learners[1], PY101, "notpassing")
        world.invalidate(learners[2], PY101)
        world.show_certificates_from(PY102, datetime.now(UTC) + timedelta(days=1))
        found, after = [], 0
        while True:
            page = port.list_certificates({PY101}, after=after, limit=3)
            assert after <= page.after <= page.highest
            found += page.certificates
            if page.after == page.highest:
                break
            assert page.after > after
            after = page.after
        assert [(one.learner_id, one.course_key) for one in found] == [(one, PY101) for one in learners]
        for one in found:
            assert one.certificate == self.read(port, one.learner_id).certificate
        assert [one.certificate.status for one in found] == [
            "downloadable",
            "notpassing",
            "unavailable",
            "downloadable",
            "downloadable",
        ]
        hidden = port.list_certificates({PY102}, after=0, limit=100).certificates
        assert len(hidden) == 5
        assert not any(one.certificate.shown for one in hidden)
        assert not port.list_certificates(set(), after=0, limit=100).certificates
        assert not port.list_certificates({"course-v1:X+Y+Z"}, after=0, limit=100).certificates

    def test_listing_certificates_costs_the_same_for_few_and_for_many(self, port, world):
        world.add_course(PY101)
        for number in range(8):
            one = world.add_learner(f"learner{number}")
            world.enrol(one, PY101)
            world.certify(one, PY101)
        few = world.queries(lambda: port.list_certificates({PY101}, after=0, limit=1))
        assert few <= 5
        assert world.queries(lambda: port.list_certificates({PY101}, after=0, limit=100)) == few

    # --- enrolments and courses ---

    def test_enrolments_of_the_past_are_still_told(self, port, world, learner):
        world.add_course(PY102)
        world.enrol(learner, PY102, mode="verified")
        world.unenrol(learner, PY101)
        stranger = learner + 9999
        found = port.read_enrolments([learner, stranger])
        assert {(one.course_key, one.mode, one.active) for one in found[learner]} == {
            (PY101, "honor", False),
            (PY102, "verified", True),
        }
        assert all(one.since.utcoffset() is not None for one in found[learner])
        assert list(found[stranger]) == []

    def test_enrolled_learners_come_once_each_in_pages_by_id(self, port, world):
        world.add_course(PY101)
        world.add_course(PY102)
        learners = sorted(world.add_learner(f"learner{number}") for number in range(5))
        for one in learners:
            world.enrol(one, PY101)
            world.enrol(one, PY102)
        world.unenrol(learners[2], PY101)
        first = list(port.enrolled_learners([PY101, PY102], after=0, limit=3))
        assert first == learners[:3]
        assert list(port.enrolled_learners([PY101, PY102], after=first[-1], limit=3)) == learners[3:]
        assert list(port.enrolled_learners(["course-v1:X+Y+Z"], after=0, limit=3)) == []

    def test_enrolments_are_listed_learner_by_learner_with_their_first_completion(self, port, world):
        world.add_course(PY101)
        world.add_course(PY102)
        learners = sorted(world.add_learner(f"listed{number}") for number in range(5))
        for one in learners:
            world.enrol(one, PY101)
            world.enrol(one, PY102)
        world.unenrol(learners[1], PY101)
        world.complete(learners[2], PY101, 2)
        before = learners[0] - 1
        first = port.list_enrolments([PY101], after=before, limit=4)
        second = port.list_enrolments([PY101], after=first.after, limit=400)
        assert [one.learner_id for one in first.enrolments] == [
            one for one in learners if before < one <= first.after
        ]
        assert first.after in learners[1:3]
        assert first.looked_at >= 4
        assert [one.learner_id for one in (*first.enrolments, *second.enrolments)] == learners
        assert {one.course_key for one in (*first.enrolments, *second.enrolments)} == {PY101}
        assert all(one.since.utcoffset() is not None for one in second.enrolments)
        started = {one.learner_id: one.started_at for one in (*first.enrolments, *second.enrolments)}
        assert started.pop(learners[2]).utcoffset() is not None
        assert set(started.values()) == {None}
        end = port.list_enrolments([PY101], after=second.after, limit=4)
        assert (list(end.enrolments), end.after, end.looked_at) == ([], second.after, 0)
        assert list(port.list_enrolments(["course-v1:X+Y+Z"], after=before, limit=4).enrolments) == []

    def test_listing_enrolments_costs_the_same_for_few_and_for_many(self, port, world):
        world.add_course(PY101)
        learners = sorted(world.add_learner(f"counted{number}") for number in range(12))
        for one in learners:
            world.enrol(one, PY101)
        before = learners[0] - 1
        few = world.queries(lambda: port.list_enrolments([PY101], after=before, limit=2))
        assert world.queries(lambda: port.list_enrolments([PY101], after=before, limit=100)) == few

    def test_courses_that_exist_are_described(self, port, world, learner):
        found = port.read_courses([PY101, "course-v1:KMUTT+NONE+2026"])
        assert set(found) == {PY101}
        one = found[PY101]
        assert (one.organization, one.number, one.run) == ("KMUTT", "PY101", "2026")
        assert one.title == "Programming Basics"
        assert PY101 in one.url
        assert PY101 in one.about_url

    def test_the_runs_of_a_course_are_found_by_organisation_and_number(self, port, world):
        for key in (PY101, PY101_RERUN, PY102, "course-v1:CMU+PY101+2026"):
            world.add_course(key)
        found = port.course_runs([("KMUTT", "PY101"), ("CMU", "PY102")])
        assert sorted(found["KMUTT", "PY101"]) == [PY101, PY101_RERUN]
        assert list(found["CMU", "PY102"]) == []

    # --- learners ---

    def test_a_learner_has_a_profile(self, port, learner):
        found = port.read_learners([learner, learner + 9999])
        assert set(found) == {learner}
        one = found[learner]
        assert (one.learner_id, one.username, one.email) == (learner, "somying", "somying@example.ac.th")
        assert one.name == "สมหญิง ใจดี"
        assert one.active

    def test_learners_are_found_whatever_the_case_of_name_or_address(self, port, world, learner):
        other = world.add_learner("somchai", email="Somchai@Example.ac.th")
        found = port.find_learners(usernames=["SOMYING"], emails=["somchai@example.ac.th"])
        assert {one.learner_id for one in found} == {learner, other}
        assert list(port.find_learners(usernames=["nobody"])) == []
        assert list(port.find_learners()) == []

    # --- certificates on request ---

    def test_the_platform_says_without_side_effect_whether_it_would_issue(self, port, world, learner):
        world.grade(learner, PY101, 80, passed=True)
        assert port.would_issue_certificate(learner, PY101).accepted
        assert self.read(port, learner).certificate is None

    def test_what_the_platform_would_refuse_is_not_asked_for(self, port, world, learner):
        """A refusal by the platform itself would take a certificate back."""
        world.grade(learner, PY101, 30, passed=False)
        world.certify(learner, PY101)
        answer = port.request_certificate(learner, PY101)
        assert (answer.accepted, answer.reason) == (False, "not_passing")
        assert self.read(port, learner).certificate.status == "downloadable"

    def test_a_request_that_the_platform_takes_is_accepted(self, port, world, learner):
        world.grade(learner, PY101, 80, passed=True)
        answer = port.request_certificate(learner, PY101)
        assert (answer.accepted, answer.reason) == (True, "")

    def test_a_list_of_exceptions_lets_who_does_not_pass_have_a_certificate(self, port, world, learner):
        world.grade(learner, PY101, 30, passed=False)
        has_such_a_list = port.allow_certificate(learner, PY101)
        assert port.request_certificate(learner, PY101).accepted == has_such_a_list
