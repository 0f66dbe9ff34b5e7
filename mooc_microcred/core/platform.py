"""The platform port: everything that the domain asks of the LMS, bulk by nature.

Implemented for edx-platform by ``mooc_microcred_openedx.gateway``, for the demo by the
sandbox, and in memory for tests; one contract suite runs against all of them.

A read that fails raises :class:`PlatformUnavailable`; it never returns "nothing", because
nothing found and nothing readable lead to different decisions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from mooc_microcred.core.conf import microcred_settings


class PlatformUnavailable(Exception):
    """The platform could not be read now; try again later and decide nothing."""


@dataclass(frozen=True, slots=True)
class CertificateState:
    """A course certificate as the platform stores it.

    Attributes:
        status: the platform's own word, such as ``downloadable``, ``notpassing``,
            ``unverified``, ``unavailable``, ``generating``.
        mode: enrolment mode for which it was issued.
        uuid: the platform's verification id, 32 hex digits.
        issued_at: when it was first created, UTC.
        shown: whether the platform shows it to its learner now.
        shown_from: when it will be shown, UTC, if the platform knows a date.
        invalidated: whether a person has invalidated it.
    """

    status: str
    mode: str = ""
    uuid: str = ""
    issued_at: datetime | None = None
    shown: bool = True
    shown_from: datetime | None = None
    invalidated: bool = False


@dataclass(frozen=True, slots=True)
class GradeState:
    """A course grade: ``percent`` 0-100, and whether the platform's own pass mark is met."""

    percent: Decimal
    passed: bool


@dataclass(frozen=True, slots=True)
class CompletionState:
    """Units of a course: how many the learner has completed, of how many that are open to them."""

    completed: int
    total: int

    @property
    def percent(self) -> Decimal:
        """Percent 0-100 of completed units; 0 for a course without units."""
        if not self.total:
            return Decimal(0)
        return (Decimal(100) * self.completed / self.total).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """An enrolment: in which run, since when (UTC), in which mode, and whether it is active."""

    course_key: str
    since: datetime
    mode: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class StateQuery:
    """What is wanted of one learner in one course run.

    Certificates are always read; the rest only where a criterion needs it.
    """

    learner_id: int
    course_key: str
    grade: bool = False
    completion: bool = False
    # Percent of completed units below which the caller does not care for the exact figure: the
    # port may then answer from a cheap count of completed blocks without walking the block tree.
    # Below 0: the number of all units is wanted too, even where nothing is completed yet.
    completion_floor: Decimal = Decimal(0)
    subsections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CourseState:
    """What the platform says of one learner in one course run; None means: there is none."""

    certificate: CertificateState | None = None
    grade: GradeState | None = None
    completion: CompletionState | None = None
    subsections: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScoreQuery:
    """Which scores are wanted of a learner in a course run: usage keys of scored blocks and subsections."""

    learner_id: int
    course_key: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockScore:
    """A score as the platform stores it, of a subsection as staff have overridden it.

    Attributes:
        earned, possible: points. at: when it was last changed, UTC, where the platform knows.
    """

    earned: Decimal
    possible: Decimal
    at: datetime | None = None

    @property
    def percent(self) -> Decimal | None:
        """Percent 0-100; None where nothing can be earned."""
        if self.possible <= 0:
            return None
        share = min(max(self.earned / self.possible, Decimal(0)), Decimal(1))
        return (share * 100).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class CourseSummary:
    """A course run.

    Attributes:
        url: where an enrolled learner goes on learning; empty where the platform has no such page.
        about_url: where others read about it and enrol.
    """

    course_key: str
    organization: str
    number: str
    run: str
    title: str
    start: datetime | None = None
    end: datetime | None = None
    url: str = ""
    about_url: str = ""


@dataclass(frozen=True, slots=True)
class LearnerProfile:
    """Who a learner is to the platform.

    Attributes:
        name: the verified name where there is one, else that of the profile, else the user name.
        profile_name: the name of the profile; empty where the learner has given none.
    """

    learner_id: int
    username: str
    email: str
    name: str
    language: str = ""
    active: bool = True
    profile_name: str = ""


@dataclass(frozen=True, slots=True)
class CertificateAnswer:
    """Whether the platform issues a certificate, or would if it were asked.

    Attributes:
        accepted: it was asked and took the request, or it may be asked without risk of a refusal.
        reason: a short code of the refusal, such as ``not_passing`` or ``ccx``; what it says to
            people stands in ``achievements.refusals``.
    """

    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ListedCertificate:
    """A certificate with whose and of which run it is."""

    learner_id: int
    course_key: str
    certificate: CertificateState


@dataclass(frozen=True, slots=True)
class CertificatePage:
    """Some of the platform's certificates, in the order of the platform's own keys.

    Attributes:
        certificates: those of the wanted runs among the certificates that were looked at.
        after: key of the last certificate that was looked at, to go on above.
        highest: highest key that there is now; at the end ``after`` has reached it.
    """

    certificates: Sequence[ListedCertificate]
    after: int
    highest: int


@dataclass(frozen=True, slots=True)
class ListedEnrolment:
    """That a learner is or was enrolled in a run.

    Attributes:
        since: when they enrolled, UTC; the beginning of 1970 where the platform keeps no date.
        started_at: of their earliest completion in the run, as the platform keeps it; None if there is none.
    """

    learner_id: int
    course_key: str
    since: datetime
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentPage:
    """Some of the platform's enrolments, in the order of learners.

    Attributes:
        enrolments: those in the wanted runs among the enrolments that were looked at; a learner's are
            all in one page.
        after: id of the last learner who was looked at, to go on above.
        looked_at: how many enrolments, in whatever run, were looked at: 0 at the end.
    """

    enrolments: Sequence[ListedEnrolment]
    after: int
    looked_at: int


class Platform(Protocol):
    """The port. Learners are user ids; courses are course keys as text."""

    def read_states(self, queries: Collection[StateQuery]) -> Mapping[tuple[int, str], CourseState]:
        """Read the present truth of many learners in many runs; every query has an answer."""

    def read_block_scores(
        self, queries: Collection[ScoreQuery]
    ) -> Mapping[tuple[int, str], Mapping[str, BlockScore]]:
        """Return the scores that learners have, by (learner, run) and usage key.

        What was not attempted is absent. A constant number of queries, whatever is asked for.
        """

    def read_enrolments(self, learner_ids: Collection[int]) -> Mapping[int, Sequence[EnrolmentState]]:
        """Return all enrolments of each learner, also inactive ones."""

    def list_certificates(self, course_keys: Collection[str], *, after: int, limit: int) -> CertificatePage:
        """Look at the next ``limit`` certificates whose key is above ``after``, and return those of the runs.

        A constant number of short queries on ranges of the primary key: the platform has no index of
        the certificates of one run.
        """

    def list_enrolments(self, course_keys: Collection[str], *, after: int, limit: int) -> EnrolmentPage:
        """Look at the enrolments of the next learners above ``after``, and return those in the runs.

        About ``limit`` enrolments are looked at: all of each learner's, also inactive ones. For walks over
        everybody: a constant number of queries on ranges of learners.
        """

    def enrolled_learners(self, course_keys: Collection[str], *, after: int, limit: int) -> Sequence[int]:
        """Return ids of learners ever enrolled in any run: ascending, above ``after``, at most ``limit``."""

    def read_courses(self, course_keys: Collection[str]) -> Mapping[str, CourseSummary]:
        """Return the runs that exist."""

    def course_runs(self, courses: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[str]]:
        """Return the runs of each (organisation, course number)."""

    def read_learners(self, learner_ids: Collection[int]) -> Mapping[int, LearnerProfile]:
        """Return the profiles of those learners who exist."""

    def find_learners(
        self, *, usernames: Collection[str] = (), emails: Collection[str] = ()
    ) -> Sequence[LearnerProfile]:
        """Return the learners with one of the user names or e-mail addresses (case-insensitive)."""

    def would_issue_certificate(self, learner_id: int, course_key: str) -> CertificateAnswer:
        """Say, without side effect, whether the platform would issue a certificate if asked."""

    def request_certificate(self, learner_id: int, course_key: str) -> CertificateAnswer:
        """Ask the platform for a certificate, unless it would refuse; its event reports the outcome later.

        What :meth:`would_issue_certificate` refuses is not asked for: a refusal by the platform itself
        marks the learner as not passing. Asking may still be refused, as by an operator's filter.
        """

    def allow_certificate(self, learner_id: int, course_key: str) -> bool:
        """Put a learner on the platform's list of exceptions (its allowlist) for a run.

        Only for runs that the operator named in ALLOWLIST_COURSES. Returns False where the platform
        has no such list.
        """


def get_platform() -> Platform:
    """Return the port that ``MOOC_MICROCRED["PLATFORM"]`` names.

    Raises:
        PlatformUnavailable: none is configured, as in Studio.
    """
    factory = microcred_settings.imported("PLATFORM")
    if factory is None:
        raise PlatformUnavailable("MOOC_MICROCRED['PLATFORM'] is not set in this process")
    return factory() if isinstance(factory, type) else factory
