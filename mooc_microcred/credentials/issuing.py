"""Issuing: one signed credential for every award that is shown, in bulk.

Whatever happens to an award puts it into the queue (CredentialDue): its being issued, shown or
corrected, and the walk over the awards that were there before this room was. Workers claim rows of
the queue, read everything in bulk, sign, and write all of it in one transaction; what they claimed
comes back by itself when they die. The unique constraint of Credential keeps two workers from
making two.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _

from mooc_microcred.achievements.api import BACKFILLED
from mooc_microcred.achievements.catalogue import parse_definition
from mooc_microcred.achievements.data import Definition
from mooc_microcred.achievements.models import AchievementVersion, Award, new_uuid
from mooc_microcred.core import clock
from mooc_microcred.core.claims import claim_due
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import NotFound
from mooc_microcred.core.kick import kick_after_commit
from mooc_microcred.core.models import LearnerLease
from mooc_microcred.core.outbox import Message, subscribe
from mooc_microcred.core.platform import PlatformUnavailable, get_platform
from mooc_microcred.core.retirement import retired_among
from mooc_microcred.credentials import addresses, places, records
from mooc_microcred.credentials.data import IssueReport
from mooc_microcred.credentials.filling import (
    claims_of,
    complete,
    content_of,
    frame_of,
    references_of,
    signed_instant,
)
from mooc_microcred.credentials.keys import current_key, handle_of, issuer_did
from mooc_microcred.credentials.models import (
    Credential,
    CredentialDue,
    DocumentDictionary,
    IssuerKey,
    IssueWalk,
    LearnerDid,
    SignedDocument,
    StatusList,
)
from mooc_microcred.credentials.rendering import Filling, Frame, build_credential
from mooc_microcred.credentials.signers import KeyHandle, KeyUnusable
from mooc_microcred.credentials.signing import CannotSign, Templates
from mooc_microcred.credentials.status.settling import settle_awards
from mooc_microcred.credentials.storing import dictionary_of, pack
from mooc_microcred.exams import api as exams

log = logging.getLogger(__name__)

#: The task that issues what is due.
ISSUE = "mooc_microcred.tasks.issue_credentials"

TOPICS = ("award.issued", "award.reinstated", "award.corrected")

# Awards that the walk looks at in one step, and after how long it begins again: a message may be lost
# to a worker of the release before, which calls it done without having known this room.
WALK = 2000
WALK_AGAIN = timedelta(days=1)
# An award whose credential has to wait is looked at again after this long, doubled each time.
WAIT_FIRST, WAIT_MOST = timedelta(minutes=1), timedelta(hours=6)

PROGRAMME = "programme"

_templates = Templates()


# --- the queue ---


def register() -> None:
    """Subscribe to the outbox; again is harmless."""
    for topic in TOPICS:
        subscribe(topic, "credentials.issue", queue_award)
    subscribe(BACKFILLED, "credentials.issue", queue_backfilled)


def queue_award(message: Message) -> None:
    """Queue the award that a message names: one or two statements in the relay's transaction."""
    award_id = Award.objects.filter(uuid=message.payload["award"]).values_list("pk", flat=True).first()
    if award_id is not None:
        queue_awards([award_id])


def queue_backfilled(message: Message) -> None:
    """Queue the awards of a backfill that a message names."""
    queue_awards(Award.objects.filter(uuid__in=message.payload["awards"]).values_list("pk", flat=True))


def queue_awards(award_ids: Collection[int]) -> None:
    """Queue awards, in the caller's transaction. Again is harmless.

    A row that a worker has claimed loses its claim: the worker does not delete it then, and what
    has changed since it read the award is looked at once more.
    """
    now = clock.now()
    CredentialDue.objects.filter(award_id__in=award_ids).update(due=now, claim="", attempts=0, reason="")
    CredentialDue.objects.bulk_create(
        [CredentialDue(award_id=one, due=now) for one in sorted(award_ids)], ignore_conflicts=True
    )
    kick_after_commit(ISSUE)


def advance_walk() -> int:
    """Queue the next awards without a credential; return how many awards were looked at.

    The walk begins by itself in a new or upgraded installation, and again every day.
    """
    walk, _made = IssueWalk.objects.get_or_create(pk=1, defaults={"started_at": clock.now()})
    if walk.finished_at is not None:
        if walk.finished_at > clock.now() - WALK_AGAIN:
            return 0
        restart_walk()
        walk.refresh_from_db()
    ids = list(
        Award.objects.filter(pk__gt=walk.after_award).order_by("pk").values_list("pk", flat=True)[:WALK]
    )
    moved = IssueWalk.objects.filter(pk=1, after_award=walk.after_award, finished_at=None)
    if not ids:
        moved.update(finished_at=clock.now())
        return 0
    live = Credential.objects.filter(award=OuterRef("pk"), live=True)
    missing = list(
        Award.objects.filter(pk__gte=ids[0], pk__lte=ids[-1], published_at__isnull=False)
        .exclude(state=Award.State.REVOKED)
        .filter(~Exists(live), ~Exists(CredentialDue.objects.filter(award=OuterRef("pk"))))
        .values_list("pk", flat=True)
    )
    with transaction.atomic():
        # Another sweeper may walk beside this one: whoever is slower changes nothing.
        if moved.update(after_award=ids[-1], found=F("found") + len(missing)) and missing:
            queue_awards(missing)
    return len(ids)


def restart_walk() -> None:
    """Look at all awards again, from the first one."""
    now = clock.now()
    IssueWalk.objects.update_or_create(
        pk=1, defaults={"after_award": 0, "found": 0, "started_at": now, "finished_at": None}
    )


# --- issuing ---


def issue_due(*, limit: int | None = None) -> IssueReport:
    """Issue the credentials of up to ``limit`` awards that are due. Must not run inside ``atomic``.

    Args:
        limit: default ISSUE_BATCH.
    """
    now = clock.now()
    limit = limit or microcred_settings.ISSUE_BATCH
    rows = list(
        claim_due(CredentialDue.objects.filter(due__lte=now), now=now, limit=limit, order=("due", "id"))
    )
    report = IssueReport(looked_at=len(rows))
    if rows:
        _Batch(rows, report).run()
    return report


def issue_credential(*, award_uuid: str) -> str:
    """Issue the credential of one award now, or find it.

    Returns:
        the credential's uuid.

    Raises:
        NotFound: there is no such award, or none that can have a credential now.
    """
    award_id = Award.objects.filter(uuid=award_uuid).values_list("pk", flat=True).first()
    if award_id is None:
        raise NotFound(_("There is no such award."))
    live = Credential.objects.filter(award_id=award_id, live=True)
    uuid = live.values_list("uuid", flat=True).first()
    if uuid is None:
        queue_awards([award_id])
        now = clock.now()
        due = CredentialDue.objects.filter(award_id=award_id)
        _Batch(list(claim_due(due, now=now, limit=1, order=("id",))), IssueReport()).run()
        uuid = live.values_list("uuid", flat=True).first()
    if uuid is None:
        raise NotFound(_("There is no credential of this award yet."))
    return uuid


@dataclass(slots=True)
class _Kind:
    """What the credentials of one version have in common within a batch."""

    frame: Frame
    key: IssuerKey
    handle: KeyHandle
    status_list: StatusList
    # Everything that stands in the frame: by it a template is found again in the next batch.
    signature: tuple[Any, ...] = ()


@dataclass(slots=True)
class _Made:
    """A credential that is signed and not yet stored."""

    row: Credential
    body: bytes
    dictionary: DocumentDictionary
    record: bytes = b""


# How often in a row another worker may have been faster with one of a batch.
COLLISIONS = 12


class _Wait(Exception):
    """The credential cannot be made now; the text is a code."""


class _Batch:
    """One claim's work, read in bulk."""

    def __init__(self, rows: Sequence[CredentialDue], report: IssueReport):
        self.rows = {row.award_id: row for row in rows}
        self.report = report
        self.waits: dict[int, str] = {}
        self.kinds: dict[tuple[int, str], _Kind] = {}
        self.dictionaries: dict[Any, DocumentDictionary] = {}

    def run(self) -> None:
        """Issue what can be issued, postpone what must wait, and take both out of the queue."""
        for left in reversed(range(COLLISIONS)):
            try:
                self._issue()
                break
            except IntegrityError:
                # Another worker has issued one of these in the same moment: look again. Each time there is
                # at least one less, so this comes to an end; that many times in a row it is something else.
                self.waits.clear()
                if not left:
                    raise
        self._postpone()
        done = [row.pk for award_id, row in self.rows.items() if award_id not in self.waits]
        # Rows that were queued again meanwhile have lost the claim and stay.
        CredentialDue.objects.filter(
            pk__in=done, claim__in={row.claim for row in self.rows.values()}
        ).delete()

    def _issue(self) -> None:
        awards = list(
            Award.objects.filter(pk__in=self.rows, published_at__isnull=False)
            .select_related("achievement")
            .order_by("pk")
        )
        self.versions = {
            row.pk: parse_definition(row)
            for row in AchievementVersion.objects.filter(
                pk__in={award.version_id for award in awards}
            ).select_related("achievement", "issuer")
        }
        self.issuers = {
            row.pk: row.issuer
            for row in AchievementVersion.objects.filter(pk__in=self.versions).select_related("issuer")
        }
        self.live = {
            row.award_id: row
            for row in Credential.objects.filter(award_id__in=[award.pk for award in awards], live=True)
        }
        retired = retired_among({award.learner_id for award in awards})
        awards = [
            award
            for award in awards
            if award.learner_id not in retired
            # What was revoked before it had a credential gets none any more.
            and (award.pk in self.live or award.state != Award.State.REVOKED)
        ]
        self.sittings = exams.read_sittings(references=references_of(awards))
        single = [award for award in awards if award.achievement.kind != PROGRAMME]
        stacked = [award for award in awards if award.achievement.kind == PROGRAMME]
        self._issue_some(single)
        # One after the other: a programme may stand on another one of this batch.
        for award in stacked:
            self._issue_some([award])

    def _issue_some(self, awards: Sequence[Award]) -> None:
        wanted: list[tuple[Award, Filling, str, list[str]]] = []
        for award in awards:
            try:
                found = self._look(award)
            except _Wait as wait:
                self.waits[award.pk] = str(wait)
            except CannotSign:
                log.exception("credential of award %s cannot be rendered", award.uuid)
                self.waits[award.pk] = "cannot_render"
            else:
                if found is not None:
                    wanted.append((award, *found))
        if not wanted:
            return
        subjects = self._subjects([award for award, *__ in wanted])
        by_version: defaultdict[int, list[tuple[Award, Filling, str, list[str]]]] = defaultdict(list)
        for one in wanted:
            if one[0].pk not in self.waits:
                by_version[one[0].version_id].append(one)
        made: list[_Made] = []
        for version_id, group in by_version.items():
            try:
                made += self._sign(version_id, group, subjects)
            except (CannotSign, KeyUnusable) as error:
                # Not the error's text: it may quote a learner's result.
                log.error("credentials of version %s cannot be signed: %s", version_id, type(error).__name__)
                for award, *__ in group:
                    self.waits[award.pk] = "cannot_sign"
        if made:
            self._store(made)

    def _look(self, award: Award) -> tuple[Filling, str, list[str]] | None:
        """Return what is to be said of an award; None where its credential says just that already."""
        definition = self.versions[award.version_id]
        frame = self._bare_frame(definition)
        claims = claims_of(award, frame, self.sittings)
        parts: list[str] = []
        if award.achievement.kind == PROGRAMME:
            parts = self._parts(award)
        content = content_of(award, claims, parts)
        live = self.live.get(award.pk)
        if live is not None and (live.content == content or award.state == Award.State.REVOKED):
            return None
        return claims, content, parts

    def _bare_frame(self, definition: Definition) -> Frame:
        key = (definition.version_id, "bare")
        if key not in self.kinds:
            issuer = self.issuers[definition.version_id]
            frame = frame_of(definition, issuer, issuer_did="", list_code="", with_endorsements=True)
            signing = current_key(issuer)
            self.kinds[key] = _Kind(frame, signing, handle_of(signing), StatusList())
        return self.kinds[key].frame

    def _parts(self, award: Award) -> list[str]:
        """Return the credentials that a programme stands on, in the order of its evidence."""
        uuids = list(award.evidence.get("stands_on", ()))
        found = dict(
            Credential.objects.filter(award__uuid__in=uuids, live=True).values_list("award__uuid", "uuid")
        )
        missing = [uuid for uuid in uuids if uuid not in found]
        if missing:
            shown = Award.objects.filter(uuid__in=missing, published_at__isnull=False).exclude(
                state=Award.State.REVOKED
            )
            waiting = list(shown.values_list("pk", flat=True))
            if waiting:
                queued = CredentialDue.objects.filter(award_id__in=waiting).values_list("award_id", flat=True)
                queue_awards(set(waiting) - set(queued))
            raise _Wait("parts")
        return [found[uuid] for uuid in uuids]

    def _subjects(self, awards: Sequence[Award]) -> dict[int, tuple[str, str]]:
        """Return (e-mail address, DID) of each learner; who has neither waits."""
        learners = {award.learner_id for award in awards}
        dids = dict(LearnerDid.objects.filter(learner_id__in=learners).values_list("learner_id", "did"))
        found = {learner: ("", did) for learner, did in dids.items()}
        reason = "no_email"
        try:
            profiles: Mapping[int, Any] = (
                get_platform().read_learners(learners - set(found)) if learners - set(found) else {}
            )
        except PlatformUnavailable:
            profiles, reason = {}, "platform_away"
        for learner, profile in profiles.items():
            if profile.email.strip():
                found[learner] = (profile.email, "")
        for award in awards:
            if award.learner_id not in found:
                self.waits[award.pk] = reason
        return found

    def _kind(self, definition: Definition, status_list: StatusList) -> _Kind:
        key = (definition.version_id, status_list.code)
        if key not in self.kinds:
            bare = self.kinds[definition.version_id, "bare"]
            frame = Frame(
                definition=definition,
                issuer=bare.frame.issuer,
                issuer_did=issuer_did(bare.key),
                list_code=status_list.code,
                measured=bare.frame.measured,
                aligned=bare.frame.aligned,
                logo=bare.frame.logo,
                badge=bare.frame.badge,
                endorsements=bare.frame.endorsements,
            )
            signature = (
                definition.version_id,
                frame.list_code,
                frame.issuer_did,
                str(frame.issuer),
                frame.logo,
                frame.badge,
                str(frame.aligned),
                tuple(one["id"] for one in frame.endorsements),
                addresses.public_base(),
            )
            self.kinds[key] = _Kind(frame, bare.key, bare.handle, status_list, signature)
        return self.kinds[key]

    def _sign(
        self,
        version_id: int,
        group: Sequence[tuple[Award, Filling, str, list[str]]],
        subjects: Mapping[int, tuple[str, str]],
    ) -> list[_Made]:
        definition = self.versions[version_id]
        left = list(group)
        made: list[_Made] = []
        now = signed_instant(clock.now())
        while left:
            status_list, indexes = places.take_places(self.issuers[version_id], len(left))
            kind = self._kind(definition, status_list)
            for index in indexes:
                award, claims, content, parts = left.pop()
                email, did = subjects[award.learner_id]
                uuid = new_uuid()
                filling = complete(
                    claims,
                    credential_uuid=uuid,
                    index=index,
                    email=email,
                    did=did,
                    organization=definition.organization,
                )
                one = self._sign_one(kind, filling, now)
                one.row = self._row(award, kind, uuid, index, content, now)
                if award.achievement.kind == PROGRAMME:
                    one.record = records.sign_record(kind.frame, one.body, parts, kind.handle, now)
                made.append(one)
        return made

    def _sign_one(self, kind: _Kind, filling: Filling, now: datetime) -> _Made:
        frame = kind.frame
        key = (kind.signature, filling.shape)
        template = _templates.get(
            key, lambda slot: build_credential(frame, filling.shape, slot), filling.slots
        )
        values = [filling.slots[name] for name in template.names]
        signed = template.sign(values, kind.handle, now)
        if key not in self.dictionaries:
            self.dictionaries[key] = dictionary_of(template.constant)
        return _Made(Credential(), signed.body, self.dictionaries[key])

    def _row(
        self, award: Award, kind: _Kind, uuid: str, index: int, content: str, now: datetime
    ) -> Credential:
        before = self.live.get(award.pk)
        return Credential(
            uuid=uuid,
            award=award,
            learner_id=award.learner_id,
            issuer=kind.key.issuer,
            key=kind.key,
            valid_from=award.issued_at,
            valid_until=award.expires_at,
            signed_at=now,
            content=content,
            supersedes=before,
            status_list=kind.status_list,
            status_index=index,
            # What the learner decided holds for the corrected one too.
            visibility=before.visibility if before else "",
            name_choice=before.name_choice if before else "",
            shown_name=before.shown_name if before else "",
        )

    def _store(self, made: Sequence[_Made]) -> None:
        """Write what was signed, all or nothing.

        The learners' leases are locked first: nobody changes or retires what is read after that
        until the commit, and whoever does so later tells it by a message of its own.
        """
        with transaction.atomic():
            learners = {one.row.learner_id for one in made}
            LearnerLease.objects.filter(learner_id__in=learners).update(token=F("token"))
            retired = retired_among(learners)
            made = [one for one in made if one.row.learner_id not in retired]
            before = [one.row.supersedes_id for one in made if one.row.supersedes_id]
            if before:
                Credential.objects.filter(pk__in=before, live=True).update(
                    live=None, superseded_at=clock.now()
                )
            Credential.objects.bulk_create([one.row for one in made])
            keys = dict(
                Credential.objects.filter(uuid__in=[one.row.uuid for one in made]).values_list("uuid", "pk")
            )
            SignedDocument.objects.bulk_create(_documents(made, keys), batch_size=200)
            changed = set(
                Award.objects.filter(pk__in=[one.row.award_id for one in made])
                .exclude(state__in=(Award.State.ACTIVE, Award.State.EXPIRED))
                .values_list("uuid", flat=True)
            )
            corrected = [one.row.award for one in made if one.row.supersedes_id]
            settle_awards(award_uuids=changed | {award.uuid for award in corrected})
            self._queue_programmes(corrected)
        for one in made:
            self.live[one.row.award_id] = one.row
        self.report.issued += len(made) - len(corrected)
        self.report.corrected += len(corrected)

    def _queue_programmes(self, corrected: Sequence[Award]) -> None:
        """Queue the programmes whose records hold a credential that was corrected."""
        if not corrected:
            return
        uuids = {award.uuid for award in corrected}
        stacked = Award.objects.filter(
            learner_id__in={award.learner_id for award in corrected},
            achievement__kind=PROGRAMME,
            published_at__isnull=False,
        ).exclude(state=Award.State.REVOKED)
        above = [
            pk
            for pk, evidence in stacked.values_list("pk", "evidence")
            if uuids & set(evidence.get("stands_on", ()))
        ]
        if above:
            queue_awards(above)

    def _postpone(self) -> None:
        now = clock.now()
        for award_id, reason in self.waits.items():
            row = self.rows[award_id]
            wait = min(WAIT_MOST, WAIT_FIRST * 2 ** min(row.attempts, 10)) * random.uniform(0.5, 1)  # noqa: S311
            CredentialDue.objects.filter(pk=row.pk, claim=row.claim).update(
                due=now + wait, attempts=row.attempts + 1, reason=reason, claim=""
            )
        self.report.postponed += len(self.waits)


def _documents(made: Iterable[_Made], keys: Mapping[str, int]) -> Iterable[SignedDocument]:
    for one in made:
        yield SignedDocument(
            credential_id=keys[one.row.uuid],
            body=pack(one.body, bytes(one.dictionary.content)),
            dictionary=one.dictionary,
        )
        if one.record:
            yield SignedDocument(
                credential_id=keys[one.row.uuid], kind=SignedDocument.Kind.RECORD, body=pack(one.record)
            )
