"""What happens to a learner's awards, decided from what was read: no writing, no platform.

The rules are the architecture's "life of an award". Criteria are judged once, by the version
in force; falling below them later never takes an award away. What does is listed here and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from mooc_microcred.achievements import reasons, refusals
from mooc_microcred.achievements.catalogue import Catalogue, get_definition
from mooc_microcred.achievements.criteria import Facts, Needs, judge
from mooc_microcred.achievements.data import (
    Definition,
    Holding,
    Measure,
    ProgrammeContext,
    Verdict,
    counts,
)
from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    Award,
    AwardEvent,
    CertificateAsk,
    new_uuid,
)
from mooc_microcred.competencies.data import Key, MasteryData
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.evidence import Fact, get_evidence_source
from mooc_microcred.core.platform import (
    CertificateState,
    CompletionState,
    CourseState,
    EnrolmentState,
    GradeState,
    StateQuery,
)

Kind = Achievement.Kind
Event = AwardEvent.Kind

MIRRORED = ("mirror", "own_with_platform")
CERTIFICATE_RULE: Mapping[str, Any] = {"certificate": {}}

# A certificate that a person made invalid ends the award at once; one that flaps (a regrade, a
# new identity check) suspends it first. Every other status, and none at all, decides nothing.
ENDING_STATUSES = {"unavailable": reasons.CERTIFICATE_UNAVAILABLE}
FLAPPING_STATUSES = {
    "notpassing": reasons.CERTIFICATE_NOT_PASSING,
    "unverified": reasons.CERTIFICATE_UNVERIFIED,
}
# How long the platform may take for a certificate before it is asked again.
# The first gap is a day, each next one twice as long, the longest 32 days.
ASK_AGAIN_AFTER = timedelta(days=1)
ASK_AGAIN_AT_MOST = timedelta(days=32)
# A refusal that only asking brings out (an operator's filter) is not provoked more often by events.
ASK_AT_MOST_EVERY = timedelta(hours=1)


@dataclass(slots=True)
class LearnerTruth:
    """Everything that was read about one learner.

    Attributes:
        awards: all awards ever, oldest first.
        runs: the runs that the requests are about; "" among them means everything.
        scope: codes of the achievements to be judged.
        asks: by run, what came of asking the platform for a certificate.
        mastery: by competency that some rule asks for; what was not attempted is absent.
        touched: the competencies among them that the requests may concern.
    """

    learner_id: int
    now: datetime
    awards: list[Award]
    enrolments: Mapping[str, EnrolmentState]
    runs: set[str]
    scope: set[str] = field(default_factory=set)
    states: dict[str, CourseState] = field(default_factory=dict)
    exams: dict[str, Fact] = field(default_factory=dict)
    asks: dict[str, CertificateAsk] = field(default_factory=dict)
    may_ask: bool = False
    mastery: Mapping[Key, MasteryData] = field(default_factory=dict)
    touched: set[Key] = field(default_factory=set)

    def live(self) -> dict[str, Award]:
        """Return the live awards by achievement code."""
        return {one.achievement.code: one for one in self.awards if one.live}

    def last(self, code: str) -> Award | None:
        """Return the newest award of an achievement, live or not."""
        return next((one for one in reversed(self.awards) if one.achievement.code == code), None)


@dataclass(slots=True)
class Change:
    """A change of an existing award: the fields to set, and the line of its history."""

    award: Award
    kind: str
    reason: str
    fields: dict[str, Any]
    details: dict[str, Any] = field(default_factory=dict)
    announced: bool = True


@dataclass(slots=True)
class Decision:
    """What is to be written about one learner.

    Attributes:
        dues: when to look again, as (run or "", instant).
        asks: runs for which the platform is to be asked for a certificate, with what came of it last time.
    """

    issued: list[Award] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    dues: set[tuple[str, datetime]] = field(default_factory=set)
    asks: dict[str, CertificateAsk | None] = field(default_factory=dict)

    @property
    def changes_awards(self) -> bool:
        """Say whether an award is written."""
        return bool(self.issued or self.changes)


def scope_of(catalogue: Catalogue, truth: LearnerTruth) -> set[str]:
    """Return the codes that the requests may concern, with everything that needs one of them."""
    everything = "" in truth.runs
    runs = (set(truth.enrolments) if everything else set()) | (truth.runs - {""})
    codes = {code for run in runs for code in catalogue.codes_for_run(run)}
    codes |= {code for code, award in truth.live().items() if everything or award.course_key in truth.runs}
    codes |= {code for key in truth.touched for code in catalogue.codes_for_competency(key)}
    return catalogue.with_dependents(codes)


def candidate_runs(catalogue: Catalogue, truth: LearnerTruth, code: str) -> list[tuple[str, Definition]]:
    """Return the runs by which the learner may fulfil a course requirement, each with who judges it.

    Any one run fulfils it. Runs that an enrolment names come first, the oldest first.
    """
    enrolled = sorted(truth.enrolments.values(), key=lambda one: one.since)
    runs = [one.course_key for one in enrolled]
    runs += sorted(run for run in truth.runs if run and run not in truth.enrolments)
    found = []
    for run in runs:
        if code in catalogue.codes_for_run(run):
            enrolment = truth.enrolments.get(run)
            definition = catalogue.judging(code, enrolment.since if enrolment else None)
            if definition is not None:
                found.append((run, definition))
    return found


def queries_for(catalogue: Catalogue, truth: LearnerTruth) -> tuple[list[StateQuery], set[str]]:
    """Return what must be read of the platform about this learner, and the exams that matter."""
    wanted: dict[str, list[Needs]] = {}
    exams: set[str] = set()
    live = truth.live()
    for code, award in live.items():
        if code in truth.scope or award.course_key in truth.runs:
            if award.evidence.get("mode") in MIRRORED:
                wanted.setdefault(award.course_key, [])
            exams |= set(award.evidence.get("exams", ()))
    for code in truth.scope:
        held = live.get(code)
        if held is not None and not _may_be_replaced(held, truth.now):
            continue
        if code not in catalogue.versions or _is_barred(truth.last(code)):
            continue
        for run, definition in candidate_runs(catalogue, truth, code):
            needs = catalogue.needs[definition.version_id]
            wanted.setdefault(run, []).append(needs)
            exams |= needs.exams
            truth.may_ask |= definition.mode == "own_with_platform"
    return [_query(truth.learner_id, run, needs) for run, needs in wanted.items()], exams


def _query(learner_id: int, run: str, needs: list[Needs]) -> StateQuery:
    return StateQuery(
        learner_id,
        run,
        grade=any(one.grade for one in needs),
        completion=any(one.completion for one in needs),
        completion_floor=min((one.completion_floor for one in needs if one.completion), default=Decimal(0)),
        subsections=tuple(sorted({block for one in needs for block in one.subsections})),
    )


def _may_be_replaced(held: Award, now: datetime) -> bool:
    """Say whether this evaluation may end an award and find another run by which it is earned anew.

    Then that run must be read at once, or whatever stands on the award would be revoked for nothing.
    """
    return held.evidence.get("mode") in MIRRORED or (held.expires_at is not None and held.expires_at <= now)


def _asked_too_recently(ask: CertificateAsk) -> datetime | None:
    """Return until when an event does not lead to asking again; None where it does at once.

    What the platform took waits for its certificate. What its own checks refuse is looked at anew with
    each event, which costs it nothing; what it refuses only when asked is provoked seldom.
    """
    if ask.asked_at is not None:
        return ask.ask_again_at or ask.asked_at + ASK_AGAIN_AFTER
    if ask.refusal in refusals.ONLY_BY_ASKING:
        return ask.checked_at + ASK_AT_MOST_EVERY
    return None


def _is_barred(award: Award | None) -> bool:
    """Say whether a person took the last award away, which no evaluation undoes."""
    return award is not None and award.state == Award.State.REVOKED and award.reason == reasons.STAFF


def decide(catalogue: Catalogue, truth: LearnerTruth) -> Decision:
    """Decide about every award that the learner holds and every achievement in scope."""
    judge_ = _LearnerJudge(catalogue, truth)
    for code in judge_.codes_in_order():
        judge_.follow_its_basis(code)
        judge_.earn(code)
    return judge_.decision


class _LearnerJudge:
    """The decisions about one learner, made in an order in which a basis comes before what stands on it."""

    def __init__(self, catalogue: Catalogue, truth: LearnerTruth):
        self.catalogue = catalogue
        self.truth = truth
        self.now = truth.now
        self.decision = Decision()
        self.live = truth.live()
        self.revoked = {one.uuid for one in truth.awards if one.state == Award.State.REVOKED}

    def codes_in_order(self) -> list[str]:
        """Return held codes that are no longer in the catalogue, then the others in its order."""
        rank = self.catalogue.rank
        gone = [code for code in self.live if code not in rank]
        kinds = list(Kind)
        gone.sort(
            key=lambda code: (kinds.index(Kind(self.live[code].achievement.kind)), self.live[code].issued_at)
        )
        known = [code for code in self.truth.scope | self.live.keys() if code in rank]
        return gone + sorted(known, key=rank.__getitem__)

    # --- the life of an award that is held ---

    def follow_its_basis(self, code: str) -> None:
        """Suspend, reinstate, publish, correct, expire or revoke the live award of an achievement."""
        award = self.live.get(code)
        if award is None:
            return
        if award.evidence.get("mode") in MIRRORED:
            self._follow_certificate(code, award)
        if award.live and award.evidence.get("exams"):
            self._follow_exams(code, award)
        if award.live and award.evidence.get("stands_on"):
            self._follow_support(code, award)
        if award.live and award.expires_at is not None:
            self._follow_validity(code, award)

    def _follow_certificate(self, code: str, award: Award) -> None:
        state = self.truth.states.get(award.course_key)
        certificate = state.certificate if state else None
        if certificate is None:
            return
        if certificate.invalidated:
            self._end(code, award, Event.REVOKED, reasons.CERTIFICATE_INVALIDATED)
        elif certificate.status in ENDING_STATUSES:
            self._end(code, award, Event.REVOKED, ENDING_STATUSES[certificate.status])
        elif certificate.status in FLAPPING_STATUSES:
            self._suspend_then_revoke(code, award, FLAPPING_STATUSES[certificate.status])
        elif certificate.status == "downloadable":
            self._welcome_back(award, certificate)

    def _suspend_then_revoke(self, code: str, award: Award, reason: str) -> None:
        grace = timedelta(days=microcred_settings.REVOCATION_GRACE_DAYS)
        if award.state == Award.State.ACTIVE:
            self._change(
                award,
                Event.SUSPENDED,
                reason,
                {"state": Award.State.SUSPENDED, "suspended_at": self.now},
                announced=award.published_at is not None,
            )
        elif award.reason == reasons.STAFF or award.suspended_at is None:
            return
        if award.suspended_at is not None and award.suspended_at + grace <= self.now:
            self._end(code, award, Event.REVOKED, reason)
        else:
            self.decision.dues.add((award.course_key, (award.suspended_at or self.now) + grace))

    def _welcome_back(self, award: Award, certificate: CertificateState) -> None:
        if award.state == Award.State.SUSPENDED and award.reason in FLAPPING_STATUSES.values():
            self._change(
                award,
                Event.REINSTATED,
                reasons.CERTIFICATE_BACK,
                {"state": Award.State.ACTIVE, "suspended_at": None},
                announced=award.published_at is not None,
            )
        if award.published_at is None:
            if certificate.shown:
                self._change(award, Event.PUBLISHED, reasons.CERTIFICATE_SHOWN, {"published_at": self.now})
            elif certificate.shown_from and certificate.shown_from > self.now:
                self.decision.dues.add((award.course_key, certificate.shown_from))

    def _follow_exams(self, code: str, award: Award) -> None:
        """Judge again where a correction superseded a result on which the award rests."""
        used = {one for one in award.evidence.get("references", ()) if one.startswith("exam_result:")}
        facts = {exam: self.truth.exams[exam] for exam in award.evidence["exams"] if exam in self.truth.exams}
        superseded = {ref for fact in facts.values() for ref in fact.details.get("superseded", ())}
        if not used & superseded:
            return
        definition = self._definition_of(award)
        snapshot = _course_from_snapshot(award.evidence)
        standing = {exam: fact for exam, fact in facts.items() if fact.percent is not None}
        verdict = judge(
            definition.rule or {}, Facts(award.course_key, snapshot, standing, self.truth.mastery)
        )
        if verdict.met:
            evidence = {
                **award.evidence,
                "references": list(verdict.references),
                "measures": [measure_to_json(one) for one in verdict.measures],
            }
            self._change(
                award,
                Event.CORRECTED,
                reasons.EXAM_CORRECTED,
                {"evidence": evidence},
                details={"before": award.evidence},
            )
        else:
            self._end(
                code,
                award,
                Event.REVOKED,
                reasons.EXAM_SUPERSEDED,
                details={"measures": [measure_to_json(one) for one in verdict.measures]},
            )
            # Judged once more as if it had never been awarded: course work that has improved since
            # was not read for an award that is held.
            self.decision.dues.add((award.course_key, self.now))

    def _follow_support(self, code: str, award: Award) -> None:
        """Revocation flows up: judge again where an award on which this one stands was revoked."""
        stands_on = set(award.evidence["stands_on"])
        if not stands_on & self.revoked:
            return
        definition = self._definition_of(award)
        if definition.tree is not None:
            fact = self._judge_tree(definition, self._holdings(also_suspended=True))
            basis = list(fact.details["stands_on"]) if fact is not None and fact.met else []
            reason = reasons.COMPONENT_REVOKED
        else:
            level1 = self.live.get(definition.level1)
            basis = [level1.uuid] if level1 is not None and counts(level1, self.now) else []
            reason = reasons.LEVEL1_REVOKED
        if not basis:
            self._end(code, award, Event.REVOKED, reason)
            return
        self._change(
            award,
            Event.CORRECTED,
            reasons.BASIS_REPLACED,
            {"evidence": {**award.evidence, "stands_on": basis}},
            details={"before": sorted(stands_on)},
            # A programme's record names its parts.
            announced=definition.tree is not None,
        )

    def _follow_validity(self, code: str, award: Award) -> None:
        if award.expires_at is None or award.state == Award.State.REVOKED:
            return
        if award.expires_at <= self.now:
            self._end(code, award, Event.EXPIRED, reasons.VALIDITY_ENDED)

    def _change(
        self,
        award: Award,
        kind: str,
        reason: str,
        fields: dict[str, Any],
        *,
        details: dict[str, Any] | None = None,
        announced: bool = True,
    ) -> None:
        # A suspended award keeps the reason of its suspension: it says who may lift it, and when.
        if award.state != Award.State.SUSPENDED or kind not in (Event.PUBLISHED, Event.CORRECTED):
            fields = {**fields, "reason": reason}
        for name, value in fields.items():
            setattr(award, name, value)
        self.decision.changes.append(Change(award, kind, reason, fields, details or {}, announced))

    def _end(
        self, code: str, award: Award, kind: str, reason: str, *, details: dict[str, Any] | None = None
    ) -> None:
        fields: dict[str, Any] = {"live": None, "state": Award.State.EXPIRED}
        if kind == Event.REVOKED:
            fields = {"live": None, "state": Award.State.REVOKED, "revoked_at": self.now}
            self.revoked.add(award.uuid)
        self._change(award, kind, reason, fields, details=details, announced=award.published_at is not None)
        del self.live[code]

    # --- earning ---

    def earn(self, code: str) -> None:
        """Issue the achievement if its criteria are met now and nothing stands against it."""
        if code not in self.truth.scope or code in self.live or code not in self.catalogue.versions:
            return
        last = self.truth.last(code)
        if _is_barred(last):
            return
        if self.catalogue.versions[code][0].kind == Kind.PROGRAMME:
            self._earn_programme(code, last)
        elif self.catalogue.versions[code][0].kind == Kind.COMPETENCY:
            self._earn_competency(code, last)
        else:
            self._earn_in_a_run(code, last)

    def _earn_in_a_run(self, code: str, last: Award | None) -> None:
        exams = _unused(self.truth.exams, last)
        for run, definition in self._runs_to_try(code):
            state = self.truth.states.get(run)
            if state is None:
                continue
            level1 = self.counting_level1(definition)
            verdict = judge_in_run(definition, run, state, exams, level1, self.truth.mastery)
            if verdict.due and verdict.due > self.now:
                self.decision.dues.add((run, verdict.due))
            if definition.mode == "own_with_platform":
                self._ask_if_needed(definition, run, state)
            if verdict.met and _is_new(verdict, last):
                self._issue(definition, run, verdict, state)
                return

    def _runs_to_try(self, code: str) -> list[tuple[str, Definition]]:
        """Return the candidate runs; for a Level 2 the run of its Level 1 comes first."""
        runs = candidate_runs(self.catalogue, self.truth, code)
        level1 = self.live.get(runs[0][1].level1) if runs else None
        if level1 is not None:
            runs.sort(key=lambda one: one[0] != level1.course_key)
        return runs

    def counting_level1(self, definition: Definition) -> Award | None:
        """Return the Level 1 award on which a Level 2 may stand, or None."""
        level1 = self.live.get(definition.level1)
        return level1 if level1 is not None and counts(level1, self.now) else None

    def _ask_if_needed(self, definition: Definition, run: str, state: CourseState) -> None:
        """Plan to ask the platform for a certificate where our own criteria are met and it has none."""
        if state.certificate is not None and (
            state.certificate.invalidated or state.certificate.status in ("downloadable", "generating")
        ):
            return
        ask = self.truth.asks.get(run)
        waits_until = _asked_too_recently(ask) if ask is not None else None
        if waits_until is not None and self.now < waits_until:
            self.decision.dues.add((run, waits_until))
            return
        if definition.rule and judge(definition.rule, self._facts(run, state)).met:
            self.decision.asks[run] = ask

    def _facts(self, run: str, state: CourseState) -> Facts:
        return Facts(run, state, self.truth.exams, self.truth.mastery)

    def _earn_competency(self, code: str, last: Award | None) -> None:
        definition = self.catalogue.judging(code, None)
        if definition is None or definition.rule is None:
            return
        verdict = judge(definition.rule, self._facts("", CourseState()))
        if verdict.met and _is_new(verdict, last):
            self._issue(definition, "", verdict, CourseState())

    def _earn_programme(self, code: str, last: Award | None) -> None:
        definition = self.catalogue.judging(code, self._programme_since(code)) or None
        if definition is None:
            return
        fact = self._judge_tree(definition, self._holdings())
        if fact is None or not fact.met:
            return
        stands_on = tuple(fact.details["stands_on"])
        verdict = Verdict(
            met=True,
            measures=(
                Measure(
                    fact.details["kind"],
                    code,
                    True,
                    Decimal(fact.details["have"]),
                    Decimal(fact.details["need"]),
                    unit="credits" if fact.details["kind"] == "credits" else "components",
                ),
            ),
            references=tuple(f"award:{uuid}" for uuid in stands_on),
            stands_on=stands_on,
        )
        if _is_new(verdict, last):
            self._issue(definition, "", verdict, CourseState())

    def _programme_since(self, code: str) -> datetime | None:
        """Return when the learner first enrolled in a course that leads to the programme."""
        since = [
            one.since
            for one in self.truth.enrolments.values()
            if code in self.catalogue.with_dependents(self.catalogue.codes_for_run(one.course_key))
        ]
        return min(since, default=None)

    def _judge_tree(self, definition: Definition, holdings: Mapping[str, Holding]) -> Fact | None:
        source = get_evidence_source("programme")
        if source is None or definition.tree is None:
            return None
        learner = self.truth.learner_id
        context = ProgrammeContext(definition.code, definition.tree, {learner: holdings})
        return source.read([learner], [context]).get((learner, definition.code))

    def _holdings(self, *, also_suspended: bool = False) -> dict[str, Holding]:
        return {
            code: holding_of(award)
            for code, award in self.live.items()
            if also_suspended or counts(award, self.now)
        }

    def _issue(self, definition: Definition, run: str, verdict: Verdict, state: CourseState) -> None:
        certificate = state.certificate if definition.mode in MIRRORED else None
        shown = certificate is None or certificate.shown
        expires_at = _add_months(self.now, definition.validity_months)
        award = Award(
            uuid=new_uuid(),
            learner_id=self.truth.learner_id,
            achievement_id=definition.achievement_id,
            version_id=definition.version_id,
            course_key=run,
            issued_at=self.now,
            expires_at=expires_at,
            published_at=self.now if shown else None,
            reason=reasons.EARNED,
            evidence=_snapshot(definition, verdict, state, self.catalogue.needs[definition.version_id]),
        )
        # So that what is decided next sees kind, code and number without a query.
        award.achievement = Achievement(
            pk=definition.achievement_id,
            code=definition.code,
            kind=definition.kind,
            organization=definition.organization,
        )
        award.version = AchievementVersion(pk=definition.version_id, number=definition.number)
        self.decision.issued.append(award)
        self.live[definition.code] = award
        if expires_at is not None:
            self.decision.dues.add((run, expires_at))
        if not shown and certificate is not None and certificate.shown_from:
            self.decision.dues.add((run, certificate.shown_from))

    def _definition_of(self, award: Award) -> Definition:
        for definition in self.catalogue.versions.get(award.achievement.code, ()):
            if definition.version_id == award.version_id:
                return definition
        return get_definition(award.version_id)


def holding_of(award: Award) -> Holding:
    """Return an award as trees count it; its ``version`` is read."""
    return Holding(award.uuid, award.version.number, Decimal(str(award.evidence.get("credits", 0))))


def judge_in_run(
    definition: Definition,
    run: str,
    state: CourseState,
    exams: Mapping[str, Fact],
    level1: Award | None,
    mastery: Mapping[Key, MasteryData],
) -> Verdict:
    """Judge a Level 1 or Level 2 in one run, with its certificate and its Level 1 where it needs them."""
    facts = Facts(run, state, exams, mastery)
    verdicts = []
    if definition.mode in MIRRORED:
        verdicts.append(judge(CERTIFICATE_RULE, facts))
    if definition.rule is not None:
        verdicts.append(judge(definition.rule, facts))
    measures = [measure for one in verdicts for measure in one.measures]
    met = all(one.met for one in verdicts)
    stands_on: tuple[str, ...] = ()
    if definition.level1:
        measures.insert(0, Measure("achievement", definition.level1, level1 is not None, unit="awards"))
        met = met and level1 is not None
        stands_on = (level1.uuid,) if level1 is not None else ()
    dues = [one.due for one in verdicts if one.due]
    return Verdict(
        met=met,
        measures=tuple(measures),
        references=tuple(dict.fromkeys(ref for one in verdicts for ref in one.references)),
        due=min(dues, default=None),
        stands_on=stands_on,
    )


def _unused(exams: Mapping[str, Fact], last: Award | None) -> Mapping[str, Fact]:
    """Return the exam facts without the sittings on which an expired award rested: those do not renew it."""
    if last is None or last.state != Award.State.EXPIRED:
        return exams
    used = set(last.evidence.get("references", ()))
    fresh = {}
    for code, fact in exams.items():
        left = [one for one in fact.details.get("sittings", ()) if one["reference"] not in used]
        if fact.reference not in used:
            fresh[code] = fact
        elif left:
            best = max(left, key=lambda one: Decimal(one["percent"]))
            fresh[code] = replace(fact, reference=best["reference"], percent=Decimal(best["percent"]))
    return fresh


def _is_new(verdict: Verdict, last: Award | None) -> bool:
    """Say whether a verdict rests on something that an expired award did not rest on.

    Otherwise the award would be issued again in the moment in which its validity ends.
    """
    if last is None or last.state != Award.State.EXPIRED:
        return True
    return bool(set(verdict.references) - set(last.evidence.get("references", ())))


def measure_to_json(measure: Measure) -> dict[str, Any]:
    """Return a measure as it is stored in evidence and shown by the API."""
    return {
        "kind": measure.kind,
        "key": measure.key,
        "met": measure.met,
        "have": None if measure.have is None else str(measure.have),
        "need": None if measure.need is None else str(measure.need),
        "unit": measure.unit,
        "details": _plain(measure.details),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _snapshot(definition: Definition, verdict: Verdict, state: CourseState, needs: Needs) -> dict[str, Any]:
    """Return the evidence that an award keeps: what was judged, by what, and what it rests on."""
    snapshot: dict[str, Any] = {
        "mode": definition.mode,
        "credits": str(definition.credits),
        "hours": str(definition.hours),
        "references": list(verdict.references),
        "measures": [measure_to_json(one) for one in verdict.measures],
    }
    if verdict.stands_on:
        snapshot["stands_on"] = list(verdict.stands_on)
    if needs.exams:
        snapshot["exams"] = sorted(needs.exams)
    if state.certificate is not None and definition.mode in MIRRORED:
        snapshot["certificate"] = state.certificate.uuid
    if state.grade is not None:
        snapshot["grade"] = {"percent": str(state.grade.percent), "passed": state.grade.passed}
    if state.completion is not None:
        snapshot["completion"] = {"completed": state.completion.completed, "total": state.completion.total}
    if state.subsections:
        snapshot["subsections"] = {block: str(percent) for block, percent in state.subsections.items()}
    return snapshot


def _course_from_snapshot(evidence: Mapping[str, Any]) -> CourseState:
    """Return the course's part of the facts as they were judged: course work that moved never counts."""
    grade, completion = evidence.get("grade"), evidence.get("completion")
    return CourseState(
        grade=GradeState(Decimal(grade["percent"]), grade["passed"]) if grade else None,
        completion=CompletionState(completion["completed"], completion["total"]) if completion else None,
        subsections={block: Decimal(one) for block, one in evidence.get("subsections", {}).items()},
    )


def _add_months(start: datetime, months: int | None) -> datetime | None:
    """Return the same day so many months later, or the last day of that month."""
    if months is None:
        return None
    year, month = divmod(start.month - 1 + months, 12)
    for day in range(start.day, start.day - 4, -1):
        try:
            return start.replace(year=start.year + year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
