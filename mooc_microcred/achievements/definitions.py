"""Making, activating and retiring versions of definitions, and adopting re-runs.

A version that has been activated is never changed: a changed definition becomes a new version.
Everything here runs in one transaction that owns the catalogue (:func:`own_catalogue`), so two
people who change it at once do so one after the other, and neither can close a circle that the
other's checks could not see.

The verbs that take an ``actor_id`` do not check permissions: the command line has none to check
and the admin has checked role and organisation before. Those that take an ``actor`` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from mooc_microcred.achievements.catalogue import (
    course_of_run,
    current_catalogue,
    parse_definition,
    touch_catalogue,
)
from mooc_microcred.achievements.catalogue_checks import (
    check_catalogue,
    covers,
    judges_of,
    needs_of_definition,
)
from mooc_microcred.achievements.criteria import needs_of
from mooc_microcred.achievements.data import RunOfferData, VersionData
from mooc_microcred.achievements.feeds import start_feed
from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    CatalogueRevision,
    CourseRequirement,
    Issuer,
    RunOffer,
)
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import InvalidInput, NotFound, Problem, WrongState
from mooc_microcred.core.roles import Actor, Role

State = AchievementVersion.State

# A process may use its set of courses for CACHE_TTL after it changed: whoever it did not queue
# in that time is found by the second feed. The rest is for clocks that differ.
SECOND_FEED_MARGIN = timedelta(seconds=5)


# --- the stored form ---

_DECIMALS = {"hours", "credits", "max_score", "minimum"}
_INTEGERS = {"nqf_level", "attempts", "resit_gap_days", "validity_months", "count"}
_OPTIONAL_WHEN_EMPTY = {"judges", "accepted_by", "exams", "languages", "excluding_versions"}


def canonical(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checked definition in the form in which it is stored and compared.

    Decimals are strings without trailing zeros, texts are stripped, and fields that say nothing
    (null, an empty list) are left out, so that the same meaning is always the same value.
    """
    return {
        name: _canonical_value(name, value)
        for name, value in definition.items()
        if value is not None and not (name in _OPTIONAL_WHEN_EMPTY and not value)
    }


def _canonical_value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return canonical(value)
    if isinstance(value, list):
        return [_canonical_value("", one) for one in value]
    if isinstance(value, str) and name not in _DECIMALS:
        return value.strip()
    if isinstance(value, bool):
        return value
    if name in _DECIMALS:
        return format(Decimal(str(value)).normalize(), "f")
    if name in _INTEGERS or (isinstance(value, (float, Decimal)) and value == int(value)):
        return int(value)
    return float(value) if isinstance(value, Decimal) else value


# --- issuers ---


def save_issuer(*, definition: Mapping[str, Any], actor_id: int | None) -> bool:
    """Add an issuer or change its profile; return whether anything changed. Checks no permissions.

    Args:
        definition: as in the catalogue's ``issuers``.

    Raises:
        InvalidInput: with every problem and its place.
    """
    with transaction.atomic():
        own_catalogue()
        _require_right({"catalogue": 1, "issuers": [definition]})
        return store_issuer(canonical(definition), actor_id)


def store_issuer(definition: dict[str, Any], actor_id: int | None) -> bool:
    """Write a checked issuer in canonical form, in a transaction that owns the catalogue."""
    issuer = Issuer.objects.filter(code=definition["code"]).first()
    if issuer is not None and issuer.definition == definition:
        return False
    Issuer.objects.update_or_create(
        code=definition["code"],
        defaults={"organization": definition["organization"], "definition": definition},
    )
    log_action(
        actor_id=actor_id,
        action="issuer.changed" if issuer else "issuer.added",
        object_type="issuer",
        object_id=definition["code"],
        organization=definition["organization"],
    )
    touch_catalogue()
    return True


# --- versions ---


def create_version(*, definition: Mapping[str, Any], actor_id: int | None) -> VersionData:
    """Make a draft of a definition: a new version, or in place of the draft that there is.

    Args:
        definition: as in the catalogue's ``achievements``.

    Returns:
        the draft; or the newest version with the outcome ``unchanged`` where it says the same.

    Raises:
        InvalidInput: with every problem and its place.
    """
    with transaction.atomic():
        own_catalogue()
        _require_right({"catalogue": 1, "achievements": [definition]})
        version, outcome = store_version(canonical(definition), actor_id)
        return version_data(version, outcome)


def _require_right(document: Mapping[str, Any]) -> None:
    problems = check_catalogue(document)
    if problems:
        raise InvalidInput(_("The definition is not right; nothing was changed."), problems=problems)


def store_version(definition: dict[str, Any], actor_id: int | None) -> tuple[AchievementVersion, str]:
    """Write a checked definition in canonical form, in a transaction that owns the catalogue.

    Returns:
        the version, and ``created``, ``replaced`` or ``unchanged``.
    """
    achievement, _created = Achievement.objects.get_or_create(
        code=definition["code"],
        defaults={
            "organization": definition["organization"],
            "kind": definition["kind"],
            "created": clock.now(),
        },
    )
    newest = achievement.versions.select_related("achievement").order_by("-number").first()
    if newest is not None and newest.state != State.RETIRED and newest.definition == definition:
        return newest, "unchanged"
    issuer = Issuer.objects.get(code=definition["issuer"])
    if newest is not None and is_replaceable(newest):
        newest.definition = definition
        newest.issuer = issuer
        newest.save(update_fields=["definition", "issuer"])
        _log(newest, "version.replaced", actor_id)
        return newest, "replaced"
    version = AchievementVersion.objects.create(
        achievement=achievement,
        number=newest.number + 1 if newest else 1,
        issuer=issuer,
        definition=definition,
    )
    _log(version, "version.created", actor_id)
    return version, "created"


def is_replaceable(version: AchievementVersion) -> bool:
    """Say whether a version may be written over: a draft that was never in force and has no awards."""
    return version.state == State.DRAFT and version.activated_at is None and not version.awards.exists()


def activate_version(*, version_id: int, actor_id: int | None) -> VersionData:
    """Bring a draft into force and put everybody whom it concerns in the queue.

    Older versions retire if the new one judges everybody whom they judge; those that judge
    learners of earlier enrolment stay.

    Raises:
        NotFound: there is no such version.
        WrongState: it is not a draft.
        InvalidInput: it does not fit what is in force by now, or needs something that never was.
    """
    with transaction.atomic():
        own_catalogue()
        version = _get_version(version_id)
        if version.state != State.DRAFT:
            raise WrongState(_("Only a draft can be activated. Make a new version of this one."))
        _require_right({"catalogue": 1, "achievements": [version.definition]})
        bring_into_force(version, actor_id)
        require_ready([version])
        return version_data(version, "activated")


def bring_into_force(version: AchievementVersion, actor_id: int | None) -> list[VersionData]:
    """Activate a checked draft, in a transaction that owns the catalogue; return what it retired."""
    judges = judges_of(version.definition)
    retired = []
    for older in version.achievement.versions.filter(state=State.ACTIVE).select_related("achievement"):
        if covers(judges, judges_of(older.definition)):
            _end(older, actor_id, replaced_by=version.number)
            retired.append(version_data(older, "retired"))
    version.state = State.ACTIVE
    version.activated_at = clock.now()
    version.save(update_fields=["state", "activated_at"])
    write_requirements(version)
    touch_catalogue()
    _log(version, "version.activated", actor_id, retired=[one.number for one in retired])
    feed_twice(reason="activated", version=version)
    return retired


def require_ready(versions: Iterable[AchievementVersion]) -> None:
    """Check that whatever the versions need is or was in force.

    Raises:
        InvalidInput: something that they need is a draft only.
    """
    versions = list(versions)
    needed = {code for version in versions for code in needs_of_definition(version.definition)}
    known = set(
        AchievementVersion.objects.filter(
            achievement__code__in=needed, activated_at__isnull=False
        ).values_list("achievement__code", flat=True)
    )
    problems = [
        Problem(
            version.achievement.code,
            _("Activate %(codes)s first: it is needed here.")
            % {"codes": ", ".join(sorted(needs_of_definition(version.definition) - known))},
        )
        for version in versions
        if needs_of_definition(version.definition) - known
    ]
    if problems:
        raise InvalidInput(_("What this needs is not in force; nothing was changed."), problems=problems)


def retire_version(*, version_id: int, actor_id: int | None) -> VersionData:
    """Take a version out of force, or discard a draft. Awards that were given stay as they are.

    Raises:
        NotFound: there is no such version.
        WrongState: it has been retired before.
    """
    with transaction.atomic():
        own_catalogue()
        version = _get_version(version_id)
        if version.state == State.RETIRED:
            raise WrongState(_("This version has already been retired."))
        _end(version, actor_id)
        touch_catalogue()
        return version_data(version, "retired")


def _end(version: AchievementVersion, actor_id: int | None, **details: Any) -> None:
    version.state = State.RETIRED
    version.retired_at = clock.now()
    version.save(update_fields=["state", "retired_at"])
    if version.awards.exists():
        # Its awards go on following the platform's certificates.
        version.courses.update(needs_completion=False)
    else:
        version.courses.all().delete()
    _log(version, "version.retired", actor_id, **details)


def _get_version(version_id: int) -> AchievementVersion:
    version = AchievementVersion.objects.select_related("achievement", "issuer").filter(pk=version_id).first()
    if version is None:
        raise NotFound(_("There is no such version."))
    return version


def version_data(version: AchievementVersion, outcome: str) -> VersionData:
    """Return a version as it crosses the room's border."""
    achievement = version.achievement
    return VersionData(
        id=version.pk,
        code=achievement.code,
        organization=achievement.organization,
        kind=achievement.kind,
        number=version.number,
        state=version.state,
        outcome=outcome,
    )


def _log(version: AchievementVersion, action: str, actor_id: int | None, **details: Any) -> None:
    log_action(
        actor_id=actor_id,
        action=action,
        object_type="achievement_version",
        object_id=version.pk,
        organization=version.achievement.organization,
        code=version.achievement.code,
        number=version.number,
        **details,
    )


def own_catalogue() -> None:
    """Make every other change of the catalogue wait for the end of this transaction.

    An UPDATE, not SELECT FOR UPDATE: SQLite takes its write lock by it too, before anything is read.
    """
    if not CatalogueRevision.objects.filter(pk=1).update(id=1):
        CatalogueRevision.objects.get_or_create(pk=1)
        CatalogueRevision.objects.filter(pk=1).update(id=1)


# --- what follows from the definitions in force ---


def write_requirements(version: AchievementVersion) -> None:
    """Write the course requirements of an active version anew, adopted re-runs included."""
    definition = parse_definition(version)
    version.courses.all().delete()
    if definition.course is None:
        return
    needs_completion = needs_of(definition.rule).completion
    if not definition.course.runs:
        CourseRequirement.objects.create(
            version=version,
            organization=definition.course.organization,
            number=definition.course.number,
            needs_completion=needs_completion,
        )
        return
    adopted = RunOffer.objects.filter(
        achievement_id=version.achievement_id, state=RunOffer.State.ADOPTED
    ).values_list("course_key", flat=True)
    CourseRequirement.objects.bulk_create(
        CourseRequirement(version=version, course_key=run, needs_completion=needs_completion)
        for run in dict.fromkeys([*definition.course.runs, *adopted])
    )


def feed_twice(*, reason: str, version: AchievementVersion | None = None, course_key: str = "") -> None:
    """Ask for two walks over everybody concerned: now, and when no process holds the old set any more."""
    now = clock.now()
    later = now + timedelta(seconds=microcred_settings.CACHE_TTL) + SECOND_FEED_MARGIN
    for when in (now, later):
        start_feed(
            reason=reason,
            version_id=version.pk if version else None,
            course_key=course_key,
            not_before=when,
        )


# --- re-runs ---


def offer_run(*, course_key: str) -> list[RunOfferData]:
    """Offer a run to the achievements that name other runs of the same course by a list.

    Again is harmless: a run is offered once, and a decision stands.

    Returns:
        the offers that are new.
    """
    course = course_of_run(course_key)
    if course == ("", ""):
        return []
    wanted = []
    catalogue = current_catalogue()
    for code in catalogue.versions:
        newest = catalogue.newest(code)
        runs = newest.course.runs if newest and newest.course else ()
        if newest and course_key not in runs and any(course_of_run(run) == course for run in runs):
            wanted.append(newest)
    offers = []
    for definition in wanted:
        offer, is_new = RunOffer.objects.get_or_create(
            achievement_id=definition.achievement_id,
            course_key=course_key,
            defaults={"offered_at": clock.now()},
        )
        if is_new:
            offers.append(_offer_data(definition.code, definition.organization, offer))
    return offers


def adopt_run(*, actor: Actor, achievement_code: str, course_key: str) -> RunOfferData:
    """Let an offered run fulfil the course requirement too, and put its learners in the queue.

    Args:
        actor: a programme officer of the achievement's organisation.

    Raises:
        NotFound: the run was not offered to that achievement.
        NotAllowed: the actor is no programme officer there.
    """
    with transaction.atomic():
        own_catalogue()
        offer = _get_offer(actor, achievement_code, course_key)
        if offer.state != RunOffer.State.ADOPTED:
            _decide(offer, actor, RunOffer.State.ADOPTED)
            active = offer.achievement.versions.filter(state=State.ACTIVE)
            for version in active.select_related("achievement", "issuer"):
                write_requirements(version)
            touch_catalogue()
            feed_twice(reason="run_adopted", course_key=course_key)
        return _offer_data(offer.achievement.code, offer.achievement.organization, offer)


def decline_run(*, actor: Actor, achievement_code: str, course_key: str) -> RunOfferData:
    """Say that an offered run does not fulfil the course requirement. It may still be adopted later.

    Raises:
        NotFound: the run was not offered to that achievement.
        NotAllowed: the actor is no programme officer there.
        WrongState: the run has been adopted, and learners may have earned awards by it.
    """
    with transaction.atomic():
        own_catalogue()
        offer = _get_offer(actor, achievement_code, course_key)
        if offer.state == RunOffer.State.ADOPTED:
            raise WrongState(_("This run has been adopted, and awards may rest on it."))
        if offer.state != RunOffer.State.DECLINED:
            _decide(offer, actor, RunOffer.State.DECLINED)
        return _offer_data(offer.achievement.code, offer.achievement.organization, offer)


def _get_offer(actor: Actor, achievement_code: str, course_key: str) -> RunOffer:
    achievement = Achievement.objects.filter(code=achievement_code).first()
    if achievement is None:
        raise NotFound(_("There is no achievement with this code."))
    actor.require(Role.PROGRAMME_OFFICER, achievement.organization)
    offer = (
        RunOffer.objects.select_related("achievement")
        .filter(achievement=achievement, course_key=course_key)
        .first()
    )
    if offer is None:
        raise NotFound(_("This run was not offered to this achievement."))
    return offer


def _decide(offer: RunOffer, actor: Actor, state: str) -> None:
    offer.state = state
    offer.decided_at = clock.now()
    offer.decided_by = actor.id
    offer.save(update_fields=["state", "decided_at", "decided_by"])
    log_action(
        actor_id=actor.id,
        action=f"run.{state}",
        object_type="achievement",
        object_id=offer.achievement.code,
        organization=offer.achievement.organization,
        course_key=offer.course_key,
    )


def offers_of_run(*, course_key: str) -> list[RunOfferData]:
    """Return the achievements to which a run is or was offered, with what was decided; one query."""
    rows = RunOffer.objects.filter(course_key=course_key).select_related("achievement").order_by("id")
    return [_offer_data(row.achievement.code, row.achievement.organization, row) for row in rows]


def _offer_data(code: str, organization: str, offer: RunOffer) -> RunOfferData:
    return RunOfferData(code, organization, offer.course_key, offer.state)
