"""Pictures and certificate templates of issuers, for staff of the institution."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser

from mooc_microcred.achievements.models import Achievement, Issuer
from mooc_microcred.core.rest_api.fields import Instant, TextSerializer
from mooc_microcred.core.rest_api.throttling import PersonRate, UploadRate
from mooc_microcred.core.rest_api.views import StaffView, operation
from mooc_microcred.core.roles import Role
from mooc_microcred.credentials import pictures, pictures_of_issuers
from mooc_microcred.credentials.pictures_of_issuers import KINDS, MAX_SIGNATORIES, Purpose

# Bytes that a multipart body has besides the file.
_AROUND = 64 * 1024


class IssuerPictureBody(serializers.Serializer):
    """A picture of an issuer."""

    purpose = serializers.ChoiceField(choices=[Purpose.LOGO.value, Purpose.SIGNATURE.value])
    file = serializers.FileField(max_length=255, help_text="PNG, JPEG or WebP, at most 2 MB")


class BadgePictureBody(serializers.Serializer):
    """The badge picture of an achievement."""

    file = serializers.FileField(max_length=255, help_text="PNG, JPEG or WebP, at most 2 MB")


class PictureSerializer(serializers.Serializer):
    """A picture as it is served."""

    uuid = serializers.CharField()
    purpose = serializers.ChoiceField(choices=Purpose.choices)
    issuer = serializers.CharField(allow_blank=True, help_text="code; empty for a badge")
    achievement = serializers.CharField(allow_blank=True, help_text="code; empty but for a badge")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    sha256 = serializers.CharField()
    uploaded_at = Instant()
    address = serializers.SerializerMethodField(help_text="path at which everybody gets it")

    def get_address(self, picture) -> str:
        """Return the path of the picture."""
        return reverse("mooc_microcred:picture", kwargs={"uuid": picture.uuid})


class PictureUploadView(StaffView):
    """The base of what takes a picture."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)
    parser_classes = (MultiPartParser,)
    throttle_classes = (PersonRate, UploadRate)
    max_body = pictures.MAX_UPLOAD + _AROUND


class IssuerPicturesView(PictureUploadView):
    """Logos and signatures."""

    @operation(
        "upload_issuer_picture",
        "Give an issuer its logo, or a signature for its certificates",
        tag="staff",
        body=IssuerPictureBody,
        answer=PictureSerializer,
        status=201,
        refusals=(404,),
    )
    def post(self, code, body):
        """It is written anew as PNG, so nothing but its pixels is kept; SVG is refused."""
        organization = Issuer.objects.filter(code=code).values_list("organization", flat=True).first()
        self.must_see(organization if organization is not None else "\0")
        return pictures_of_issuers.upload_picture(
            actor=self.actor, purpose=body["purpose"], issuer_code=code, content=body["file"].read()
        )


class BadgePictureView(PictureUploadView):
    """Badge pictures."""

    @operation(
        "upload_badge_picture",
        "Give an achievement its own badge picture",
        tag="staff",
        body=BadgePictureBody,
        answer=PictureSerializer,
        status=201,
        refusals=(404,),
    )
    def post(self, code, body):
        """Without one, a picture is drawn for its kind in the issuer's colour."""
        organization = Achievement.objects.filter(code=code).values_list("organization", flat=True).first()
        self.must_see(organization if organization is not None else "\0")
        return pictures_of_issuers.upload_picture(
            actor=self.actor, purpose=Purpose.BADGE, achievement_code=code, content=body["file"].read()
        )


class SignatoryBody(serializers.Serializer):
    """Who signs."""

    name = TextSerializer()
    role = TextSerializer(required=False)
    signature = serializers.CharField(
        required=False, allow_blank=True, max_length=36, help_text="uuid of an uploaded signature"
    )


class TemplateBody(serializers.Serializer):
    """How certificates look."""

    kind = serializers.ChoiceField(
        choices=KINDS, required=False, allow_blank=True, default="", help_text="empty: every kind"
    )
    colour = serializers.CharField(required=False, allow_blank=True, default="", max_length=7)
    signatories = serializers.ListField(child=SignatoryBody(), required=False, max_length=MAX_SIGNATORIES)


class TemplateQuery(serializers.Serializer):
    """Which template."""

    kind = serializers.ChoiceField(choices=KINDS, required=False, allow_blank=True, default="")


class SignatorySerializer(serializers.Serializer):
    """Who signs."""

    name = TextSerializer()
    role = TextSerializer()
    signature = serializers.CharField(allow_blank=True)


class TemplateSerializer(serializers.Serializer):
    """How certificates look."""

    issuer = serializers.CharField()
    kind = serializers.CharField(allow_blank=True)
    colour = serializers.CharField(allow_blank=True)
    signatories = SignatorySerializer(many=True)


class TemplateView(StaffView):
    """The certificate template of an issuer."""

    roles = (Role.PROGRAMME_OFFICER, Role.AUDITOR)

    def _must_see(self, code: str) -> None:
        organization = Issuer.objects.filter(code=code).values_list("organization", flat=True).first()
        self.must_see(organization if organization is not None else "\0")

    @operation(
        "read_certificate_template",
        "How the certificates of an issuer look",
        tag="staff",
        query=TemplateQuery,
        answer=TemplateSerializer,
        refusals=(404,),
    )
    def get(self, code, query):
        """Empty where none was set: ours in blue, without signatories."""
        self._must_see(code)
        return pictures_of_issuers.template_of(issuer_code=code, kind=query["kind"])

    @operation(
        "set_certificate_template",
        "Say how the certificates of an issuer look",
        tag="staff",
        body=TemplateBody,
        answer=TemplateSerializer,
        refusals=(404,),
    )
    def post(self, code, body):
        """What a kind's own template leaves out is as in the template for every kind."""
        self._must_see(code)
        return pictures_of_issuers.set_template(
            actor=self.actor,
            issuer_code=code,
            kind=body["kind"],
            colour=body["colour"],
            signatories=body.get("signatories", ()),
        )
