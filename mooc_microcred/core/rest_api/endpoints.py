"""The core room's endpoints: who I am, the audit log, the outbox, identities, looking up learners."""

from __future__ import annotations

from django.db.models import Count, Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from mooc_microcred.core import outbox
from mooc_microcred.core.data_export import export_learner
from mooc_microcred.core.models import AuditEntry, LearnerIdentity, OutboxMessage
from mooc_microcred.core.rest_api.fields import Id, Instant, Organization
from mooc_microcred.core.rest_api.learners import reachable_learner
from mooc_microcred.core.rest_api.paging import PageQuery, page_of_rows
from mooc_microcred.core.rest_api.views import ApiView, StaffView, operation
from mooc_microcred.core.roles import Role
from mooc_microcred.core.verifying import verify_identity

ALL_ROLES = tuple(Role.values)


class HeldRoleSerializer(serializers.Serializer):
    """A role for one organisation."""

    role = serializers.CharField()
    organization = serializers.CharField(help_text="short name; empty means all organisations")


class MeSerializer(serializers.Serializer):
    """Who is signed in."""

    id = serializers.IntegerField(help_text="user id on the platform")
    superuser = serializers.BooleanField()
    roles = HeldRoleSerializer(many=True)


class MeView(ApiView):
    """Who is signed in, and what they may do."""

    @operation("read_me", "Who I am and which roles I hold", tag="my", answer=MeSerializer)
    def get(self):
        """Return the roles, so that a page shows only what its reader can use."""
        roles = [{"role": role, "organization": scope} for role, scope in sorted(self.actor.roles)]
        return {"id": self.learner_id, "superuser": self.actor.superuser, "roles": roles}


class AuditQuery(PageQuery):
    """Which lines of the audit log."""

    organization = Organization(required=False)
    action = serializers.RegexField(r"\A[a-z_.]{1,64}\Z", required=False)
    object_type = serializers.RegexField(r"\A[a-z_]{1,64}\Z", required=False)
    object_id = serializers.CharField(max_length=64, required=False)
    actor_id = Id(required=False)


class AuditEntrySerializer(serializers.Serializer):
    """One thing that a person or the system did."""

    id = serializers.IntegerField()
    at = Instant()
    actor_id = serializers.IntegerField(allow_null=True, help_text="user id; null when the system acted")
    action = serializers.CharField()
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    organization = serializers.CharField(allow_blank=True)
    details = serializers.DictField()


class AuditView(StaffView):
    """The audit log of the organisations whose auditor the reader is."""

    roles = (Role.AUDITOR,)

    @operation(
        "list_audit_entries",
        "Lines of the audit log, the newest first",
        tag="staff",
        query=AuditQuery,
        answer=AuditEntrySerializer,
        listed=True,
    )
    def get(self, query):
        """Lines without organisation are shown only to auditors of all organisations."""
        rows = AuditEntry.objects.all()
        scopes = self.organizations(query.get("organization"))
        if scopes is not None:
            rows = rows.filter(organization__in=scopes)
        for name in ("action", "object_type", "object_id", "actor_id"):
            if name in query:
                rows = rows.filter(**{name: query[name]})
        return page_of_rows(rows, query)


class OutboxDepthSerializer(serializers.Serializer):
    """How full the outbox is."""

    state = serializers.CharField()
    messages = serializers.IntegerField()
    oldest = Instant(help_text="when the oldest of them was written")


class OutboxSerializer(serializers.Serializer):
    """The outbox by state."""

    states = OutboxDepthSerializer(many=True)


class OutboxView(StaffView):
    """How the hand-over between the rooms is doing. Messages belong to no organisation."""

    roles = (Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER, Role.AUDITOR)

    @operation("read_outbox", "How many messages wait or are dead", tag="staff", answer=OutboxSerializer)
    def get(self):
        """Done messages are not counted: there are many, and they are of no concern."""
        self.must_hold_everywhere()
        states = (
            OutboxMessage.objects.exclude(state=OutboxMessage.State.DONE)
            .values("state")
            .annotate(messages=Count("pk"), oldest=Min("created"))
            .order_by("state")
        )
        return {"states": list(states)}


class OutboxMessageSerializer(serializers.Serializer):
    """A message that could not be handed over."""

    id = serializers.IntegerField()
    topic = serializers.CharField()
    learner_id = serializers.IntegerField(allow_null=True)
    payload = serializers.DictField()
    created = Instant()
    attempts = serializers.IntegerField()
    done_by = serializers.ListField(child=serializers.CharField(), help_text="subscribers that have it")
    last_error = serializers.CharField(allow_blank=True)


class DeadLettersView(StaffView):
    """Messages that no attempt could hand over."""

    roles = (Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER, Role.AUDITOR)

    @operation(
        "list_outbox_dead_letters",
        "Messages that could not be handed over, the newest first",
        tag="staff",
        query=PageQuery,
        answer=OutboxMessageSerializer,
        listed=True,
    )
    def get(self, query):
        """They stay until somebody replays them."""
        self.must_hold_everywhere()
        return page_of_rows(OutboxMessage.objects.filter(state=OutboxMessage.State.DEAD), query)


class IdsBody(serializers.Serializer):
    """Some rows, by id."""

    ids = serializers.ListField(child=Id(), min_length=1, max_length=1000)


class ReplaySerializer(serializers.Serializer):
    """How many were put back into the queue."""

    replayed = serializers.IntegerField()


class ReplayDeadLettersView(StaffView):
    """Dead letters go back into the queue."""

    roles = (Role.PROGRAMME_OFFICER, Role.CREDIT_OFFICER)

    @operation(
        "replay_outbox_dead_letters",
        "Put dead letters back into the queue",
        tag="staff",
        body=IdsBody,
        answer=ReplaySerializer,
    )
    def post(self, body):
        """Ids that are no dead letters are passed over; the answer says how many there were."""
        self.must_hold_everywhere()
        return {"replayed": outbox.replay(message_ids=body["ids"], actor_id=self.actor.id)}


class IdentitySerializer(serializers.Serializer):
    """A verified identity document; never its number."""

    learner_id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=LearnerIdentity.Kind.choices)
    last_four = serializers.CharField()
    verified_at = Instant()
    verified_by = serializers.CharField(help_text="how: thaid, officer:<user id>, platform")


class IdentitiesSerializer(serializers.Serializer):
    """The verified documents of a learner: at most one of each kind."""

    identities = IdentitySerializer(many=True)


def _identities_of(learner_id: int) -> dict:
    return {"identities": LearnerIdentity.objects.filter(learner_id=learner_id).order_by("kind")}


class MyIdentityView(ApiView):
    """Which of my documents are verified."""

    @operation("read_my_identities", "My verified documents", tag="my", answer=IdentitiesSerializer)
    def get(self):
        """Only the last four characters are ever shown."""
        return _identities_of(self.learner_id)


class MyDataSerializer(serializers.Serializer):
    """Everything that is held of me, by the part of the suite that holds it."""

    version = serializers.IntegerField()
    learner_id = serializers.IntegerField()
    exported_at = serializers.CharField(help_text="ISO 8601, UTC")
    rooms = serializers.DictField()


class MyDataView(ApiView):
    """My own data (PDPA B.E. 2562, section 30)."""

    @operation("read_my_data", "Everything that is held of me", tag="my", answer=MyDataSerializer)
    def get(self):
        """Numbers of documents are never shown, only their last four characters."""
        return export_learner(learner_id=self.learner_id)


class LearnerBody(serializers.Serializer):
    """One learner, in the one way that the caller knows them."""

    learner_id = Id(required=False)
    username = serializers.CharField(required=False, max_length=150, style={"personal": True})
    email = serializers.EmailField(required=False, max_length=254, style={"personal": True})

    def validate(self, attrs):
        """Refuse none and several."""
        if len({"learner_id", "username", "email"} & set(attrs)) != 1:
            raise serializers.ValidationError(_("Give one of learner_id, username and email."))
        return attrs


class IdentityBody(LearnerBody):
    """A document that the verifier has seen."""

    kind = serializers.ChoiceField(choices=LearnerIdentity.Kind.choices)
    number = serializers.CharField(
        max_length=40,
        style={"personal": True},
        help_text=gettext_lazy("13 digits of a Thai national ID, or a passport number"),
    )


class IdentitiesView(StaffView):
    """Identities that a verifier records."""

    roles = (Role.VERIFIER,)

    @operation(
        "record_identity",
        "Record a document that I have verified",
        tag="staff",
        body=IdentityBody,
        answer=IdentitiesSerializer,
        status=201,
        refusals=(404, 503),
    )
    def post(self, body):
        """A verifier records learners of their own organisation, and never themselves."""
        learner = verify_identity(
            actor=self.actor, kind=body["kind"], number=body["number"], **_one_learner(body)
        )
        return _identities_of(learner.learner_id)


class LearnerIdentitiesView(StaffView):
    """The verified documents of one learner."""

    roles = (Role.VERIFIER,)

    @operation(
        "read_learner_identities",
        "The verified documents of a learner of my organisation",
        tag="staff",
        answer=IdentitiesSerializer,
        refusals=(404, 503),
    )
    def get(self, learner_id):
        """Only the last four characters are ever shown."""
        reachable_learner(organizations=self.organizations(), learner_id=learner_id)
        return _identities_of(learner_id)


class LearnerSerializer(serializers.Serializer):
    """A learner whom staff looked up."""

    learner_id = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField(allow_blank=True)


class FindLearnerView(StaffView):
    """From a user name or e-mail address to the id that the other addresses use."""

    roles = ALL_ROLES

    @operation(
        "find_learner",
        "Find a learner of my organisation",
        tag="staff",
        body=LearnerBody,
        answer=LearnerSerializer,
        refusals=(404, 503),
    )
    def post(self, body):
        """A POST, so that no name or e-mail address stands in an address or an access log."""
        return reachable_learner(organizations=self.organizations(), **_one_learner(body))


def _one_learner(body: dict) -> dict:
    return {name: body[name] for name in ("learner_id", "username", "email") if name in body}
