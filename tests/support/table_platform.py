"""The platform port on two tables of the domain's database, as it is in an LMS.

Unlike the platform in memory it is shared by processes, its reads are statements of the worker's own
connection (at which a worker can be killed or paused), and a test can change the truth in the very
transaction in which a receiver appends a request.
"""

from __future__ import annotations

import pickle
from collections.abc import Collection

from django.db import connection

from mooc_microcred.core.platform import CertificatePage, CourseState, ListedCertificate
from tests.support.memory_platform import MemoryPlatform

TABLES = (
    "CREATE TABLE lms_state (learner_id BIGINT NOT NULL, course_key VARCHAR(255) NOT NULL,"
    " state BLOB NOT NULL, PRIMARY KEY (learner_id, course_key))",
    "CREATE TABLE lms_ask (id BIGINT AUTO_INCREMENT PRIMARY KEY, learner_id BIGINT NOT NULL,"
    " course_key VARCHAR(255) NOT NULL)",
)


class TablePlatform(MemoryPlatform):
    """Writes through to the tables, and reads them anew for every call of the port."""

    def reset(self):
        """Forget what this object holds; the tables are emptied by whoever emptied the database."""
        super().reset()

    # --- what a test sets ---

    def enrol(self, learner_id, course_key, since=None, mode="honor"):
        self._load([learner_id])
        super().enrol(learner_id, course_key, since, mode)
        self._store(learner_id, course_key)

    def _change(self, learner_id, course_key, **changes):
        super()._change(learner_id, course_key, **changes)
        self._store(learner_id, course_key)

    def certify(self, learner_id, course_key, status="downloadable", **fields):
        self._load([learner_id])
        super().certify(learner_id, course_key, status, **fields)

    def grade(self, learner_id, course_key, percent, passed=None):
        self._load([learner_id])
        super().grade(learner_id, course_key, percent, passed)

    def complete(self, learner_id, course_key, completed, total):
        self._load([learner_id])
        super().complete(learner_id, course_key, completed, total)

    def score(self, learner_id, course_key, block, earned, possible=1, at=None):
        self._load([learner_id])
        super().score(learner_id, course_key, block, earned, possible, at)
        self._store(learner_id, course_key)

    def _store(self, learner_id, course_key):
        state = self.states.get((learner_id, course_key), CourseState())
        scores = self.scores.get((learner_id, course_key), {})
        row = pickle.dumps((self.enrolments[learner_id][course_key], state, scores))
        with connection.cursor() as cursor:
            cursor.execute("REPLACE INTO lms_state VALUES (%s, %s, %s)", [learner_id, course_key, row])

    def _load(self, learner_ids: Collection[int]):
        learner_ids = sorted(learner_ids)
        self.states = {key: one for key, one in self.states.items() if key[0] not in learner_ids}
        for learner in learner_ids:
            self.enrolments.pop(learner, None)
        if not learner_ids:
            return
        marks = ", ".join(["%s"] * len(learner_ids))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT learner_id, course_key, state FROM lms_state WHERE learner_id IN ({marks})",  # noqa: S608
                learner_ids,
            )
            for learner, course_key, row in cursor.fetchall():
                self.add_course(course_key)
                self.add_learner(learner)
                enrolment, state, scores = pickle.loads(row)  # noqa: S301
                self.enrolments[learner][course_key] = enrolment
                self.states[learner, course_key] = state
                self.scores[learner, course_key] = dict(scores)

    # --- the port ---

    def read_states(self, queries):
        self._load({query.learner_id for query in queries})
        return super().read_states(queries)

    def read_block_scores(self, queries):
        self._load({query.learner_id for query in queries})
        return super().read_block_scores(queries)

    def read_enrolments(self, learner_ids):
        self._load(learner_ids)
        return super().read_enrolments(learner_ids)

    def read_learners(self, learner_ids):
        self._load(learner_ids)
        return super().read_learners(learner_ids)

    def enrolled_learners(self, course_keys, *, after, limit):
        marks = ", ".join(["%s"] * len(course_keys))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT learner_id FROM lms_state"
                f" WHERE learner_id > %s AND course_key IN ({marks}) ORDER BY learner_id LIMIT %s",  # noqa: S608
                [after, *course_keys, limit],
            )
            return [row[0] for row in cursor.fetchall()]

    def list_certificates(self, course_keys, *, after, limit):
        # The learner's id serves as the key here: a run is backfilled at a time.
        learners = [
            one for one in self.enrolled_learners(list(course_keys), after=after, limit=limit) if one > after
        ]
        self._load(learners)
        with connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(MAX(learner_id), 0) FROM lms_state")
            highest = cursor.fetchone()[0]
        return CertificatePage(
            [
                ListedCertificate(learner, key, self.states[learner, key].certificate)
                for learner in learners
                for key in sorted(course_keys)
                if self.states.get((learner, key), CourseState()).certificate is not None
            ],
            after=learners[-1] if learners else highest,
            highest=highest,
        )

    def course_runs(self, courses):
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT course_key FROM lms_state")
            for (course_key,) in cursor.fetchall():
                self.add_course(course_key)
        return super().course_runs(courses)

    def request_certificate(self, learner_id, course_key):
        answer = self.would_issue_certificate(learner_id, course_key)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO lms_ask (learner_id, course_key) VALUES (%s, %s)", [learner_id, course_key]
            )
        return answer

    @staticmethod
    def all_asked() -> list[tuple[int, str]]:
        """Return for whom certificates were requested, in order, by whatever process."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT learner_id, course_key FROM lms_ask ORDER BY id")
            return [tuple(row) for row in cursor.fetchall()]


the_platform = TablePlatform()
