"""A learner's own credentials: listing them, deciding who sees each, and taking them all along."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework import serializers

from mooc_microcred.achievements.data import Text
from mooc_microcred.core import clock
from mooc_microcred.core.errors import NotFound
from mooc_microcred.core.rest_api.fields import Instant, TextSerializer
from mooc_microcred.core.rest_api.files import download, file_answer
from mooc_microcred.core.rest_api.paging import PageQuery, page_of_rows
from mooc_microcred.core.rest_api.throttling import PersonRate, UploadRate
from mooc_microcred.core.rest_api.views import ApiView, operation
from mooc_microcred.credentials import wallet
from mooc_microcred.credentials.models import Credential
from mooc_microcred.credentials.pages import reading
from mooc_microcred.credentials.visibility import (
    NAME_CHOICES,
    Visibility,
    share_credential,
    sharing_of,
)

STATES = (
    reading.VALID,
    reading.SUSPENDED,
    reading.REVOKED,
    reading.EXPIRED,
    reading.REPLACED,
    reading.UNTRUSTED,
)


class MyCredentialSerializer(serializers.Serializer):
    """One of the learner's credentials."""

    uuid = serializers.CharField()
    award = serializers.CharField(help_text="uuid of the award")
    achievement = serializers.CharField(help_text="code")
    kind = serializers.CharField()
    name = TextSerializer()
    issuer = serializers.CharField(help_text="code")
    state = serializers.ChoiceField(choices=STATES)
    valid_from = Instant()
    valid_until = Instant(allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    name_choice = serializers.ChoiceField(choices=list(NAME_CHOICES))
    page = serializers.URLField(help_text="address of its page, for sharing")


class SharingBody(serializers.Serializer):
    """What the learner decides; what is left out stays as it is."""

    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)
    name_choice = serializers.ChoiceField(choices=list(NAME_CHOICES), required=False)


class SharingSerializer(serializers.Serializer):
    """Who sees a credential, and under which name."""

    visibility = serializers.ChoiceField(choices=Visibility.choices)
    name_choice = serializers.ChoiceField(choices=list(NAME_CHOICES))
    shown_name = serializers.CharField(allow_blank=True, help_text="as it stands on the page")


def listed(row) -> dict:
    """Return what the list says of a credential (a row with all that it hangs on)."""
    sharing = sharing_of(row)
    return {
        "uuid": row.uuid,
        "award": row.award.uuid,
        "achievement": row.award.version.achievement.code,
        "kind": row.award.version.achievement.kind,
        "name": Text.of(row.award.version.definition["name"]),
        "issuer": row.issuer.code,
        "state": reading.state_of(row, clock.now())[0],
        "valid_from": row.valid_from,
        "valid_until": row.valid_until or row.award.expires_at,
        "visibility": sharing.visibility,
        "name_choice": sharing.name_choice,
        "page": reading.absolute(reading.page_path(row.uuid)),
    }


class MyCredentialsView(ApiView):
    """The learner's credentials."""

    @operation(
        "list_my_credentials",
        "My signed credentials, the newest first",
        tag="my",
        query=PageQuery,
        answer=MyCredentialSerializer,
        listed=True,
    )
    def get(self, query):
        """Also revoked and expired ones; those that a corrected one has replaced are left out."""
        return page_of_rows(wallet.credentials_of(learner_id=self.learner_id), query, read=listed)


class SharingView(ApiView):
    """Who sees a credential."""

    @operation(
        "read_credential_sharing",
        "Who sees my credential, and under which name",
        tag="my",
        answer=SharingSerializer,
        refusals=(404,),
    )
    def get(self, credential):
        """Where the learner has not decided, the platform's default."""
        row = Credential.objects.filter(uuid=str(credential), learner_id=self.learner_id).first()
        if row is None:
            raise NotFound(_("There is no such credential."))
        return sharing_of(row)

    @operation(
        "share_credential",
        "Decide who sees my credential, and under which name",
        tag="my",
        body=SharingBody,
        answer=SharingSerializer,
        refusals=(404, 503),
    )
    def post(self, credential, body):
        """The name is never in the signed document; it stands on the page and on the certificate."""
        return share_credential(learner_id=self.learner_id, credential_uuid=str(credential), **body)


class BundleView(ApiView):
    """All credentials in one file."""

    throttle_classes = (PersonRate, UploadRate)

    @operation(
        "download_my_credentials",
        "All my credentials in one file",
        tag="my",
        answer=file_answer("every signed document, with a manifest of their hashes", "application/zip"),
    )
    def get(self):
        """Each document is signed by itself, so the bundle needs no signature of its own."""
        content = wallet.bundle(learner_id=self.learner_id)
        return download(content, name="credentials.zip", media_type="application/zip")
