"""The platform of both releases: certificates in a table of its own, read anew for every question."""

from django.db import connection

from tests.support.memory_platform import MemoryPlatform

RUN = "course-v1:KMUTT+PY101+2026"
TABLE = (
    "CREATE TABLE upgrade_campus (learner_id INTEGER NOT NULL PRIMARY KEY, status VARCHAR(20) NOT NULL,"
    " invalidated INTEGER NOT NULL)"
)


class Campus(MemoryPlatform):
    """Each release brings its own stand-in of the port; what it knows comes from the table."""

    def _answer(self):
        super()._answer()
        with connection.cursor() as cursor:
            cursor.execute("SELECT learner_id, status, invalidated FROM upgrade_campus")
            rows = cursor.fetchall()
        for learner, status, invalidated in rows:
            self.add_learner(learner, f"Learner {learner}", f"learner{learner}")
            self.enrol(learner, RUN)
            if status:
                # The first call makes a certificate of a random number, the second one changes it.
                self.certify(learner, RUN, status)
                self.certify(learner, RUN, status, invalidated=bool(invalidated), uuid=f"{learner:032x}")

    @staticmethod
    def put(learners, status="", *, invalidated=False):
        """Write what the platform says of some learners."""
        with connection.cursor() as cursor:
            for learner in learners:
                cursor.execute("DELETE FROM upgrade_campus WHERE learner_id = %s", [learner])
                cursor.execute(
                    "INSERT INTO upgrade_campus VALUES (%s, %s, %s)", [learner, status, int(invalidated)]
                )


campus = Campus()
