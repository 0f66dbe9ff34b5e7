"""The admin: who sees which rows, what cannot be changed by hand, and how definitions are written."""

from datetime import date
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from mooc_microcred.achievements.admin import definition_of, initial_of
from mooc_microcred.achievements.catalogue_file import SAMPLES, load_catalogue, read_sample
from mooc_microcred.achievements.definitions import canonical, create_version, offer_run
from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    Award,
    AwardEvent,
    CertificateAsk,
    EvaluationRequest,
    Feed,
    Issuer,
    RunOffer,
)
from mooc_microcred.competencies.models import (
    Association,
    Competency,
    ContentTag,
    CourseSync,
    Framework,
    Mastery,
    MasteryCriteria,
)
from mooc_microcred.core.models import (
    AuditEntry,
    Heartbeat,
    LearnerIdentity,
    OutboxMessage,
    RetiredLearner,
    StaffRole,
)
from mooc_microcred.credentials.models import CertificateTemplate, Picture
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from tests.achievements.test_catalogue_checks import document, level1, level2, programme
from tests.competencies.frameworks import make_framework

pytestmark = pytest.mark.django_db

OURS = [model for model in admin.site._registry if model._meta.app_label == "mooc_microcred"]
WRITTEN = {Issuer, AchievementVersion, StaffRole, CertificateTemplate, Picture}
READ_ONLY = [model for model in OURS if model not in WRITTEN]
RUNS = {"runs": ["course-v1:KMUTT+PY101+2026"]}
ROLES = [role for role, _label in StaffRole.Role.choices]


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def user(name, *, roles=(), organization="", permissions=("view",), superuser=False):
    """Make a member of staff with Django's permissions on all our tables and the roles."""
    person = User.objects.create_user(name, password="secret", is_staff=True, is_superuser=superuser)
    if not superuser:
        wanted = Permission.objects.filter(content_type__app_label="mooc_microcred")
        for permission in wanted:
            if permission.codename.split("_")[0] in permissions:
                person.user_permissions.add(permission)
    for role in roles:
        StaffRole.objects.create(user_id=person.pk, role=role, organization=organization)
    return person


@pytest.fixture
def as_user(client):
    """Return a function that signs somebody in and returns the client."""

    def sign_in(name="somebody", **fields):
        client.force_login(user(name, **fields))
        return client

    return sign_in


@pytest.fixture
def boss(as_user):
    """Return the client of a superuser."""
    return as_user("boss", superuser=True)


def officer_of(as_user, organization="KMUTT", name="officer"):
    return as_user(
        name,
        roles=["programme_officer"],
        organization=organization,
        permissions=("view", "add", "change", "delete"),
    )


def fill_tables(organization="KMUTT"):
    """Put a row of the organisation into every table; return the rows by model."""
    low = organization.lower()
    issuer = {"code": low, "organization": organization, "name": {"en": low}, "country": "TH"}
    course = f"course-v1:{organization}+PY101+2026"
    fields = {"organization": organization, "issuer": low, "course": {"runs": [course]}}
    load_catalogue(
        document(level1(f"{low}-l1", **fields), level2(f"{low}-l2", f"{low}-l1", **fields), issuers=[issuer]),
        actor_id=None,
    )
    now = timezone.now()
    version = AchievementVersion.objects.get(achievement__code=f"{low}-l2")
    rows = {
        Issuer: Issuer.objects.get(code=low),
        Achievement: version.achievement,
        AchievementVersion: version,
        RunOffer: RunOffer.objects.create(
            achievement=version.achievement, course_key=course + "x", offered_at=now
        ),
        EvaluationRequest: EvaluationRequest.objects.create(
            learner_id=1, course_key=course, reason="x", not_before=now, due=now
        ),
        Feed: Feed.objects.filter(version=version).first(),
        CertificateAsk: CertificateAsk.objects.create(learner_id=1, course_key=course, checked_at=now),
        Award: Award.objects.create(
            learner_id=1, achievement=version.achievement, version=version, issued_at=now
        ),
        ExamAdmission: ExamAdmission.objects.create(
            exam_code=f"{low}-l2-exam", organization=organization, number="A1", learner_id=1, created=now
        ),
        ExamBatch: ExamBatch.objects.create(
            exam_code=f"{low}-l2-exam",
            achievement=version.achievement,
            organization=organization,
            state="imported",
            file_name="results.csv",
            sha256="0" * 64,
            size=1,
            uploaded_by=1,
            uploaded_at=now,
        ),
        AuditEntry: AuditEntry.objects.filter(organization=organization).first(),
    }
    rows[AwardEvent] = AwardEvent.objects.create(award=rows[Award], kind="issued", at=now)
    rows[ExamResult] = ExamResult.objects.create(
        batch=rows[ExamBatch],
        exam_code=rows[ExamBatch].exam_code,
        learner_id=1,
        row=2,
        sat_on=date(2026, 1, 1),
        max_score=100,
    )
    rows[CreditRecord] = CreditRecord.objects.create(
        award=rows[Award],
        learner_id=1,
        organization=organization,
        bank="central",
        state="sending",
        method_code="CE",
        credits=Decimal(1),
        hours=Decimal(45),
        created=now,
        changed=now,
    )
    rows[Delivery] = Delivery.objects.create(
        record=rows[CreditRecord],
        bank="central",
        sequence=1,
        kind="deposit",
        due=now,
        created=now,
        sealed_body=b"sealed secret",
    )
    rows[CertificateTemplate] = CertificateTemplate.objects.create(
        issuer=rows[Issuer], settings={"colour": "#123456"}, changed_at=now
    )
    rows[Picture] = Picture.objects.create(
        purpose="logo",
        issuer=rows[Issuer],
        content=b"sealed secret",
        sha256="0" * 64,
        width=1,
        height=1,
        uploaded_at=now,
    )
    from mooc_microcred.achievements.models import CourseRequirement

    rows[CourseRequirement] = CourseRequirement.objects.get(version=version)
    rows |= fill_competencies(organization, course)
    return rows


def fill_competencies(organization, course):
    """Put a row of the organisation into every table of competencies."""
    framework = make_framework(f"{organization} skills", organization)
    keys = {"framework": framework.identifier, "item": framework.items.first().identifier}
    now = timezone.now()
    return {
        Framework: framework,
        Competency: framework.items.first(),
        Association: Association.objects.create(
            framework=framework, identifier="a", kind="precedes", origin="b", destination="c", changed=now
        ),
        MasteryCriteria: MasteryCriteria.objects.create(
            framework=framework, number=1, rule={"mean": {"threshold": 5}}, activated_at=now
        ),
        ContentTag: ContentTag.objects.create(
            digest=organization, course_key=course, source="olx", said_by="x", relation="teaches", **keys
        ),
        CourseSync: CourseSync.objects.create(course_key=course),
    }


def fill_common_tables():
    """Put a row into every table whose rows belong to no organisation."""
    now = timezone.now()
    return {
        OutboxMessage: OutboxMessage.objects.create(
            topic="award.issued", learner_id=1, created=now, due=now, state="dead", attempts=12
        ),
        LearnerIdentity: LearnerIdentity.objects.create(
            learner_id=1,
            kind="national_id",
            number_encrypted=b"sealed secret",
            number_hash="h" * 64,
            last_four="3450",
            verified_at=now,
            verified_by="thaid",
            last_needed_at=now,
        ),
        RetiredLearner: RetiredLearner.objects.create(learner_id=9, at=now),
        Heartbeat: Heartbeat.objects.create(name="sweep", at=now),
        Mastery: Mastery.objects.create(
            learner_id=1, framework="f", item="i", status="Demonstrated", since=now
        ),
        Consent: Consent.objects.create(
            learner_id=1, bank="central", text_version="1", language="th", given_at=now
        ),
    }


def count_shown(client, model, **query):
    answer = client.get(url(model, "changelist"), query)
    assert answer.status_code == 200, (model, answer.status_code)
    return answer.context["cl"].result_count


# --- pages ---


def test_everything_that_changes_by_verbs_is_read_only_here():
    must_be = {
        ExamBatch,
        ExamResult,
        ExamAdmission,
        Award,
        AwardEvent,
        CreditRecord,
        Delivery,
        Consent,
        AuditEntry,
        EvaluationRequest,
        OutboxMessage,
        LearnerIdentity,
    }
    assert must_be <= set(READ_ONLY)


def test_every_page_opens_for_a_superuser(boss):
    rows = {**fill_tables(), **fill_common_tables(), StaffRole: None}
    rows[StaffRole] = StaffRole.objects.create(user_id=1, role="auditor")
    assert set(OURS) == set(rows)
    assert boss.get(reverse("admin:index")).status_code == 200
    for model, row in rows.items():
        assert count_shown(boss, model) >= 1, model
        page = boss.get(url(model, "change", row.pk))
        assert page.status_code == 200, model
        assert b"sealed secret" not in page.content, model
        assert boss.get(url(model, "history", row.pk)).status_code == 200, model


@pytest.mark.parametrize("language", ["th", "en"])
def test_pages_open_in_both_languages(boss, language):
    fill_tables()
    for model in (AchievementVersion, Issuer, Award):
        assert boss.get(url(model, "changelist"), headers={"accept-language": language}).status_code == 200
    assert boss.get(url(AchievementVersion, "add"), headers={"accept-language": language}).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_searching_finds_exactly_and_never_breaks(boss, model):
    fill_tables()
    fill_common_tables()

    for term in ("1", "nothing", "9" * 40, "' OR 1=1", "๑", "%", " "):
        assert boss.get(url(model, "changelist"), {"q": term}).status_code == 200


def test_a_learner_is_found_by_number(boss):
    fill_tables()

    assert count_shown(boss, Award, q="1") == 1
    assert count_shown(boss, Award, q="2") == 0
    assert count_shown(boss, Award, q="kmutt-l2") == 1


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_nothing_is_added_changed_or_deleted_by_hand(boss, model):
    row = {**fill_tables(), **fill_common_tables()}[model]
    before = list(model.objects.order_by("pk").values())

    assert boss.get(url(model, "add")).status_code == 403
    assert boss.post(url(model, "add"), {}).status_code == 403
    assert boss.post(url(model, "change", row.pk), {"state": "x"}).status_code == 403
    assert boss.get(url(model, "delete", row.pk)).status_code == 403
    assert boss.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    boss.post(
        url(model, "changelist"),
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )

    assert list(model.objects.order_by("pk").values()) == before
    assert b'name="_save"' not in boss.get(url(model, "change", row.pk)).content


def test_versions_are_never_deleted(boss):
    version = fill_tables()[AchievementVersion]

    assert boss.post(url(AchievementVersion, "delete", version.pk), {"post": "yes"}).status_code == 403
    assert AchievementVersion.objects.filter(pk=version.pk).exists()


# --- whose rows ---


@pytest.mark.parametrize("roles", [[], ROLES], ids=["no role", "every role of another organisation"])
def test_staff_of_another_organisation_see_and_open_nothing(as_user, roles):
    rows = {**fill_tables(), **fill_common_tables()}
    client = as_user(
        "stranger", roles=roles, organization="CMU", permissions=("view", "add", "change", "delete")
    )

    for model, row in rows.items():
        assert count_shown(client, model) == 0, model
        # Django answers with the index and a message that there is no such row.
        assert client.get(url(model, "change", row.pk)).status_code in (302, 403), model


def test_staff_see_the_rows_of_their_organisation_and_no_others(as_user):
    fill_tables("KMUTT")
    theirs = fill_tables("CMU")
    fill_common_tables()
    client = as_user("ours", roles=ROLES, organization="KMUTT")

    for model in theirs:
        if model is Feed:
            continue
        shown = client.get(url(model, "changelist")).context["cl"].queryset
        assert shown, model
        assert not shown.filter(pk=theirs[model].pk).exists(), model
        assert client.get(url(model, "change", shown.first().pk)).status_code == 200, model
        assert client.get(url(model, "change", theirs[model].pk)).status_code == 302, model


def test_rows_of_no_organisation_are_seen_by_roles_for_all(as_user):
    rows = fill_common_tables()
    client = as_user("everywhere", roles=ROLES, organization="")

    for model, row in rows.items():
        assert count_shown(client, model) == 1, model
        assert client.get(url(model, "change", row.pk)).status_code == 200, model


@pytest.mark.parametrize(
    ("role", "seen", "hidden"),
    [
        ("exam_officer", ExamBatch, Award),
        ("exam_signatory", ExamResult, CreditRecord),
        ("credit_officer", CreditRecord, ExamBatch),
        ("programme_officer", Award, CreditRecord),
        ("verifier", None, Award),
        ("auditor", AuditEntry, None),
    ],
)
def test_a_role_opens_its_own_tables(as_user, role, seen, hidden):
    fill_tables()
    client = as_user("officer", roles=[role], organization="KMUTT")

    assert seen is None or count_shown(client, seen) >= 1
    assert hidden is None or count_shown(client, hidden) == 0


def test_a_role_without_djangos_permission_opens_nothing(as_user):
    fill_tables()
    client = as_user("officer", roles=ROLES, organization="KMUTT", permissions=())

    assert client.get(url(Award, "changelist")).status_code == 403


def test_the_filter_offers_only_ones_own_organisations(as_user):
    fill_tables("KMUTT")
    fill_tables("CMU")
    client = as_user("ours", roles=ROLES, organization="KMUTT")

    for model in (Award, ExamBatch, ExamResult, AchievementVersion, Delivery):
        assert "CMU" not in client.get(url(model, "changelist")).content.decode()
        assert count_shown(client, model, organization="CMU") == 0
        assert count_shown(client, model, organization="KMUTT") >= 1


def test_a_list_costs_the_same_for_one_row_and_for_many(boss, django_assert_max_num_queries):
    version = fill_tables()[AchievementVersion]
    Award.objects.bulk_create(
        Award(learner_id=n, achievement=version.achievement, version=version, issued_at=timezone.now())
        for n in range(100, 140)
    )

    with django_assert_max_num_queries(12):
        boss.get(url(Award, "changelist"))


# --- roles ---


def test_only_superusers_reach_the_roles(as_user):
    role = StaffRole.objects.create(user_id=1, role="auditor", organization="KMUTT")
    client = as_user("all", roles=ROLES, organization="", permissions=("view", "add", "change", "delete"))

    for page in (url(StaffRole, "changelist"), url(StaffRole, "add"), url(StaffRole, "change", role.pk)):
        assert client.get(page).status_code in (302, 403)
        assert client.post(page, {"username": "all", "role": "auditor"}).status_code in (302, 403)
    assert client.post(url(StaffRole, "delete", role.pk), {"post": "yes"}).status_code in (302, 403)
    assert StaffRole.objects.filter(pk=role.pk).exists()
    assert not AuditEntry.objects.exists()


def test_roles_are_granted_changed_and_withdrawn_with_an_audit_line_each(boss):
    holder = User.objects.create_user("holder")
    added = boss.post(
        url(StaffRole, "add"), {"username": "holder", "role": "auditor", "organization": " KMUTT "}
    )
    assert added.status_code == 302
    role = StaffRole.objects.get(user_id=holder.pk)
    assert (role.role, role.organization) == ("auditor", "KMUTT")
    boss.post(
        url(StaffRole, "change", role.pk),
        {"username": "boss", "role": "exam_officer", "organization": "KMUTT"},
    )
    role.refresh_from_db()
    assert (role.user_id, role.role) == (holder.pk, "exam_officer")
    boss.post(url(StaffRole, "delete", role.pk), {"post": "yes"})
    other = StaffRole.objects.create(user_id=holder.pk, role="verifier")
    boss.post(
        url(StaffRole, "changelist"),
        {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"},
    )

    assert not StaffRole.objects.exists()
    lines = list(AuditEntry.objects.order_by("pk").values_list("action", "organization", "details__user"))
    assert lines == [
        ("role.granted", "KMUTT", holder.pk),
        ("role.changed", "KMUTT", holder.pk),
        ("role.withdrawn", "KMUTT", holder.pk),
        ("role.withdrawn", "", holder.pk),
    ]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"username": "nobody", "role": "auditor", "organization": ""}, "no user of this name"),
        ({"username": "boss", "role": "king", "organization": ""}, "king"),
        ({"username": "boss", "role": "auditor", "organization": "KMUTT"}, "already holds"),
    ],
)
def test_a_wrong_role_is_refused(boss, sent, said):
    StaffRole.objects.create(user_id=User.objects.get().pk, role="auditor", organization="KMUTT")

    page = boss.post(url(StaffRole, "add"), sent)

    assert page.status_code == 200
    assert said in page.content.decode()
    assert StaffRole.objects.count() == 1
    assert not AuditEntry.objects.exists()


# --- replay ---


def replay(client, model, row):
    return client.post(
        url(model, "changelist"), {"action": "replay_dead_letters", "_selected_action": [row.pk]}
    )


def test_dead_letters_of_the_outbox_are_replayed_and_audited(boss):
    message = fill_common_tables()[OutboxMessage]

    replay(boss, OutboxMessage, message)

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("pending", 0)
    entry = AuditEntry.objects.get(action="outbox.replay")
    assert entry.actor_id == User.objects.get(username="boss").pk


@pytest.mark.parametrize(
    "fields",
    [
        {"roles": ROLES, "organization": "KMUTT", "permissions": ("view", "change")},
        {"roles": ["auditor"], "organization": "", "permissions": ("view", "change")},
        {"roles": ROLES, "organization": "", "permissions": ("view",)},
    ],
    ids=["one organisation", "auditor", "no change permission"],
)
def test_replaying_needs_permission_and_role(as_user, fields):
    message = fill_common_tables()[OutboxMessage]
    client = as_user("somebody", **fields)

    replay(client, OutboxMessage, message)

    message.refresh_from_db()
    assert message.state == "dead"


def test_dead_deliveries_are_replayed_by_the_credit_officer_of_the_organisation(as_user):
    delivery = fill_tables()[Delivery]
    Delivery.objects.filter(pk=delivery.pk).update(state="dead")
    auditor = as_user("auditor", roles=["auditor"], organization="KMUTT", permissions=("view", "change"))
    replay(auditor, Delivery, delivery)
    delivery.refresh_from_db()
    assert delivery.state == "dead"
    assert not AuditEntry.objects.filter(action="delivery.replayed").exists()

    officer = as_user(
        "credit", roles=["credit_officer"], organization="KMUTT", permissions=("view", "change")
    )
    replay(officer, Delivery, delivery)

    delivery.refresh_from_db()
    assert delivery.state != "dead"
    entry = AuditEntry.objects.get(action="delivery.replayed")
    assert entry.actor_id == User.objects.get(username="credit").pk


# --- offered runs ---


@pytest.mark.parametrize(("action", "state"), [("adopt", "adopted"), ("decline", "declined")])
def test_offered_runs_are_decided_by_actions(as_user, action, state):
    load_catalogue(document(level1(course=RUNS)), actor_id=None)
    offer_run(course_key="course-v1:KMUTT+PY101+2027")
    offer = RunOffer.objects.get()
    sent = {"action": action, "_selected_action": [offer.pk]}
    other = officer_of(as_user, "CMU", "other")
    other.post(url(RunOffer, "changelist"), sent)
    offer.refresh_from_db()
    assert offer.state == "offered"

    officer_of(as_user).post(url(RunOffer, "changelist"), sent)

    offer.refresh_from_db()
    assert offer.state == state


# --- definitions ---


def form_of(definition, **changes):
    """Return what a browser sends when the form shows the definition and a person makes the changes."""
    values = {**initial_of(canonical(definition)), **changes}
    data = {}
    for name, value in values.items():
        if name in ("outcomes", "exams", "accepted_by"):
            for number, row in enumerate(value):
                data |= {f"{name}-{number}-{key}": text for key, text in row.items()}
        elif isinstance(value, str):
            data[name] = value.replace("\n", "\r\n")
        else:
            data[name] = value
    return data


def sent_by(page, **changes):
    """Return what a browser sends back when the person only makes the changes on the page."""
    data = {}
    form = page.context["adminform"].form
    for name, field in form.fields.items():
        value = form.get_initial_for_field(field, name)
        if field.disabled:
            continue
        if name in ("outcomes", "exams", "accepted_by"):
            for number, row in enumerate(value):
                data |= {f"{name}-{number}-{key}": text for key, text in row.items()}
        elif value is not None:
            data[name] = value
    return {**data, **changes}


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_form_holds_every_part_of_a_definition(name):
    for one in read_sample(name).document["achievements"]:
        from mooc_microcred.achievements.admin import DefinitionForm

        values = initial_of(canonical(one))
        form = DefinitionForm(values)
        for field in ("rule", "tree", "enrolled_from", "enrolled_until"):
            form.cleaned_data = values
            values[field] = getattr(form, f"clean_{field}")()
        assert canonical(definition_of(values)) == canonical(one)


def test_a_new_definition_is_written_in_the_form(as_user):
    load_catalogue(document(), actor_id=None)
    client = officer_of(as_user)

    page = client.get(url(AchievementVersion, "add"))
    assert page.status_code == 200
    answer = client.post(url(AchievementVersion, "add"), form_of(level1(), hours="๔๕", _continue="1"))

    version = AchievementVersion.objects.get()
    assert answer.status_code == 302
    assert answer.url == url(AchievementVersion, "change", version.pk)
    assert (version.number, version.state) == (1, "draft")
    assert version.definition == canonical(level1(hours=45))
    assert AuditEntry.objects.get(action="version.created").actor_id == User.objects.get().pk


@pytest.mark.parametrize("name", SAMPLES)
def test_saving_a_page_as_it_was_shown_changes_nothing(boss, name):
    load_catalogue(read_sample(name).document, actor_id=None)
    versions = list(AchievementVersion.objects.all())

    for version in versions:
        page = boss.get(url(AchievementVersion, "change", version.pk))
        assert page.status_code == 200
        answer = boss.post(url(AchievementVersion, "change", version.pk), sent_by(page, _save="1"))
        assert answer.status_code == 302, page.context["adminform"].form.errors
        assert "Nothing has changed" in said(answer)[-1]

    assert list(AchievementVersion.objects.all()) == versions


def test_editing_what_is_in_force_makes_a_draft(as_user):
    load_catalogue(document(level1()), actor_id=None)
    first = AchievementVersion.objects.get()
    client = officer_of(as_user)
    page = client.get(url(AchievementVersion, "change", first.pk))

    answer = client.post(
        url(AchievementVersion, "change", first.pk),
        sent_by(
            page, rule="all:\n- completion: {minimum: 90}\n- course_grade: {minimum: 60}\n", _continue="1"
        ),
    )

    draft = AchievementVersion.objects.get(number=2)
    assert answer.url == url(AchievementVersion, "change", draft.pk)
    assert draft.state == "draft"
    assert draft.definition["criteria"]["rule"] == {
        "all": [{"completion": {"minimum": "90"}}, {"course_grade": {"minimum": "60"}}]
    }
    before = first.definition
    first.refresh_from_db()
    assert (first.state, first.definition) == ("active", before)


def test_an_achievement_keeps_its_code_organisation_and_kind(boss):
    load_catalogue(document(level1()), actor_id=None)
    version = AchievementVersion.objects.get()
    page = boss.get(url(AchievementVersion, "change", version.pk))

    boss.post(
        url(AchievementVersion, "change", version.pk),
        sent_by(page, code="other", organization="CMU", kind="programme", hours="99"),
    )

    draft = AchievementVersion.objects.get(number=2)
    assert (draft.achievement.code, draft.definition["organization"], draft.definition["kind"]) == (
        "l1",
        "KMUTT",
        "level1",
    )


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"hours": "0"}, "hours", "hours: The workload must be more than 0"),
        ({"hours": "many"}, "hours", "hours: Write a number"),
        ({"credits": "1.005"}, "credits", "credits: Write a number"),
        ({"name_th": "", "name_en": ""}, "name_th", "name: Write at least one of these: th, en."),
        ({"code": "UPPER"}, "code", "code: Write a code"),
        ({"kind": "programme"}, "course_number", "course: A programme has no course"),
        ({"course_number": ""}, "course_number", "course: Name the course"),
        ({"course_runs": "course-v1:KMUTT+X+1"}, "course_number", "course: Write exactly one of these"),
        (
            {"course_number": "", "course_runs": "course-v1:KMUTT+X+1\r\nrubbish"},
            "course_runs",
            "course.runs[1]: Write the key",
        ),
        ({"narrative_th": " ", "narrative_en": ""}, "narrative_th", "criteria.narrative: Write at least"),
        ({"mode": ""}, "mode", "criteria.mode: Say whether"),
        ({"mode": "mirror"}, "rule", "criteria.rule: In the mode mirror"),
        ({"rule": "completion: {minimum: 101}"}, "rule", "criteria.rule.completion.minimum: "),
        ({"rule": "all:\n- a: [\n"}, "rule", "line 3"),
        ({"rule": "completion: {minimum: 1}\ncompletion: {minimum: 2}"}, "rule", "twice"),
        ({"rule": ""}, "rule", "criteria.rule: In the mode own write the rule"),
        ({"tree": "achievement: l1"}, "tree", "criteria.tree: "),
        ({"level1": "l1"}, "level1", "criteria.level1: "),
        ({"outcomes": []}, "outcomes", "outcomes: The list must hold"),
        ({"outcomes": [{"th": "x"}]}, "outcomes", "outcomes[0].domain: Choose one of"),
        ({"outcomes": [{"domain": "skills"}]}, "outcomes", "outcomes[0].text: Write at least"),
        ({"exams": [{"code": "e1"}]}, "exams", "exams[0]"),
        ({"assessment_types": []}, "assessment_types", "assessment.types: The list"),
        ({"method": ""}, "method", "assessment.method: Choose one of: CS, CN, CT, CP, CE"),
        ({"quality_assurance": ""}, "quality_assurance", "quality_assurance: Choose one of"),
        ({"nqf_level": "9"}, "nqf_level", "9"),
        ({"languages": "thai"}, "languages", "languages[0]: Write the two small letters"),
        ({"further_information": "ftp://x"}, "further_information", "further_information: Write an address"),
        ({"validity_months": "0"}, "validity_months", "validity_months: This must be at least 1"),
        ({"validity_months": "forever"}, "validity_months", "validity_months: This must be a whole number"),
        ({"enrolled_from": "69/1/1"}, "enrolled_from", "not a date"),
        (
            {"enrolled_from": "1/2/2570", "enrolled_until": "1/1/2570"},
            "enrolled_until",
            "judges.enrolled_until: The last day",
        ),
        ({"issuer": "nobody"}, "issuer", "nobody"),
        ({"organization": "CMU"}, "organization", "You do not hold the role"),
        ({"name_en": "a\x00b"}, "name_en", "Null characters"),
    ],
)
def test_the_form_says_what_is_wrong_where_it_is_written(as_user, changes, field, message):
    load_catalogue(document(), actor_id=None)
    client = officer_of(as_user)

    page = client.post(url(AchievementVersion, "add"), form_of(level1(), **changes))

    assert page.status_code == 200
    errors = page.context["adminform"].form.errors
    assert message in " ".join(errors.get(field, [])), errors
    assert not Achievement.objects.exists()


def test_what_was_written_is_still_there_when_the_form_is_refused(as_user):
    load_catalogue(document(), actor_id=None)
    client = officer_of(as_user)
    rows = [{"domain": "skills", "th": "ทำได้", "en": "can <do>"}, {"domain": "ethics", "th": "ซื่อสัตย์"}]

    page = client.post(url(AchievementVersion, "add"), form_of(level1(), outcomes=rows, hours="0"))

    html = page.content.decode()
    assert 'name="outcomes-0-en" value="can &lt;do&gt;"' in html
    assert 'name="outcomes-1-th" value="ซื่อสัตย์"' in html


def test_buddhist_days_are_understood(boss):
    load_catalogue(document(), actor_id=None)

    boss.post(url(AchievementVersion, "add"), form_of(level1(), enrolled_from="21 พ.ย. 2569"))

    assert AchievementVersion.objects.get().definition["judges"] == {"enrolled_from": "2026-11-21"}


def test_a_code_that_is_taken_is_edited_not_begun_again(boss):
    load_catalogue(document(level1()), actor_id=None)

    page = boss.post(url(AchievementVersion, "add"), form_of(level1(hours=9)))

    assert "Edit its newest version" in str(page.context["adminform"].form.errors["code"])
    assert AchievementVersion.objects.count() == 1


def test_a_newer_draft_is_not_lost_by_editing_an_older_version(boss):
    load_catalogue(document(level1()), actor_id=None)
    first = AchievementVersion.objects.get()
    create_version(definition=level1(hours=50), actor_id=1)

    page = boss.get(url(AchievementVersion, "change", first.pk))
    answer = boss.post(url(AchievementVersion, "change", first.pk), sent_by(page, hours="60"))

    assert "Version 2 is a newer draft" in str(answer.context["adminform"].form.errors)
    assert AchievementVersion.objects.get(number=2).definition["hours"] == "50"


def test_somebody_elses_change_in_the_meantime_is_not_lost(boss):
    load_catalogue(document(), actor_id=None)
    draft = create_version(definition=level1(), actor_id=1)
    page = boss.get(url(AchievementVersion, "change", draft.id))
    create_version(definition=level1(hours=50), actor_id=2)

    answer = boss.post(url(AchievementVersion, "change", draft.id), sent_by(page, hours="60"))

    assert "Somebody has changed this version" in str(answer.context["adminform"].form.errors)
    assert AchievementVersion.objects.get().definition["hours"] == "50"


def test_drafts_are_activated_by_the_action_in_the_order_in_which_they_need_each_other(as_user):
    load_catalogue(
        document(programme("aa", tree={"achievement": "l2"}), level2(), level1()),
        actor_id=None,
        activate=False,
    )
    client = officer_of(as_user)
    chosen = list(AchievementVersion.objects.values_list("pk", flat=True))

    answer = client.post(
        url(AchievementVersion, "changelist"), {"action": "activate", "_selected_action": chosen}
    )

    assert said(answer) == [f"{code} version 1 is in force." for code in ("l1", "l2", "aa")]
    assert set(AchievementVersion.objects.values_list("state", flat=True)) == {"active"}
    assert Feed.objects.count() == 6
    officer = User.objects.get().pk
    assert AuditEntry.objects.filter(action="version.activated", actor_id=officer).count() == 3


def test_what_cannot_be_activated_says_why(as_user):
    load_catalogue(document(level1(), level2()), actor_id=None, activate=False)
    level_2 = AchievementVersion.objects.get(achievement__code="l2")
    client = officer_of(as_user)

    answer = client.post(
        url(AchievementVersion, "changelist"), {"action": "activate", "_selected_action": [level_2.pk]}
    )

    assert any("Activate l1 first" in line for line in said(answer))
    level_2.refresh_from_db()
    assert level_2.state == "draft"


def test_versions_are_retired_by_the_action(as_user):
    load_catalogue(document(level1()), actor_id=None)
    client = officer_of(as_user)
    version = AchievementVersion.objects.get()

    client.post(url(AchievementVersion, "changelist"), {"action": "retire", "_selected_action": [version.pk]})

    version.refresh_from_db()
    assert version.state == "retired"


@pytest.mark.parametrize(
    "fields",
    [
        {"roles": ["auditor"], "organization": "KMUTT", "permissions": ("view", "add", "change")},
        {"roles": ["programme_officer"], "organization": "KMUTT", "permissions": ("view",)},
        {"roles": ["programme_officer"], "organization": "CMU", "permissions": ("view", "add", "change")},
    ],
    ids=["auditor", "officer without permission", "officer of another organisation"],
)
def test_who_may_not_write_writes_nothing(as_user, boss, fields):
    load_catalogue(document(level1(), level2()), actor_id=None, activate=False)
    version = AchievementVersion.objects.get(achievement__code="l1")
    page = boss.get(url(AchievementVersion, "change", version.pk))
    sent = sent_by(page, hours="99")
    client = as_user("somebody", **fields)

    opened = client.get(url(AchievementVersion, "change", version.pk))
    client.post(url(AchievementVersion, "change", version.pk), sent)
    client.post(url(AchievementVersion, "add"), form_of(level1("new")))
    client.post(
        url(AchievementVersion, "changelist"), {"action": "activate", "_selected_action": [version.pk]}
    )

    if opened.status_code == 200:
        assert "narrative" in opened.content.decode()
        assert b'name="_save"' not in opened.content
    version.refresh_from_db()
    assert (version.state, version.definition["hours"]) == ("draft", "45")
    assert AchievementVersion.objects.count() == 2


# --- issuers ---


def test_issuers_are_written_in_a_form_and_checked(as_user):
    client = officer_of(as_user)
    good = {"code": "kmutt", "organization": "KMUTT", "name_th": "มจธ.", "country": "TH"}

    refused = client.post(url(Issuer, "add"), {**good, "country": "th", "url": "http://x"})
    foreign = client.post(url(Issuer, "add"), {**good, "organization": "CMU"})
    added = client.post(url(Issuer, "add"), good)

    errors = refused.context["adminform"].form.errors
    assert set(errors) == {"country", "url"}
    assert "organization" in foreign.context["adminform"].form.errors
    assert added.status_code == 302
    issuer = Issuer.objects.get()
    assert issuer.definition == {
        "code": "kmutt",
        "organization": "KMUTT",
        "name": {"th": "มจธ."},
        "country": "TH",
    }
    assert AuditEntry.objects.get().action == "issuer.added"

    again = client.post(url(Issuer, "add"), good)
    assert "Edit that one" in str(again.context["adminform"].form.errors)
    client.post(url(Issuer, "change", issuer.pk), {**good, "code": "x", "name_en": "KMUTT"})
    issuer.refresh_from_db()
    assert issuer.definition["name"] == {"th": "มจธ.", "en": "KMUTT"}
    assert issuer.code == "kmutt"


def test_an_auditor_reads_an_issuer(as_user):
    fill_tables()
    client = as_user("auditor", roles=["auditor"], organization="KMUTT", permissions=("view", "change"))

    page = client.get(url(Issuer, "change", Issuer.objects.get().pk))

    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert "country: TH" in page.content.decode()
