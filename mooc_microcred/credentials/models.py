"""Tables of the credentials room: keys, signed credentials, status lists, pictures, endorsements."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from mooc_microcred.achievements.models import Achievement, Award, Issuer, new_uuid

#: Entries of a status list (Bitstring Status List v1.0 section 3.1: at least 131,072).
LIST_SIZE = 131_072


class SecretField(models.BinaryField):
    """Bytes that stay in the database: serialisers, so fixtures and dumpdata, get an empty value."""

    def value_to_string(self, obj):
        """Return nothing instead of the bytes."""
        return ""

    def deconstruct(self):
        """Look like a BinaryField to migrations, which the column is."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", args, kwargs


class IssuerKey(models.Model):
    """An Ed25519 key of an issuer. The private half is encrypted, or held elsewhere by a signer.

    ``current`` is True or NULL, so that each issuer has one key that signs (see Award.live).

    .. no_pii:
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("signs")
        RETIRED = "retired", _("retired: signs no more, what it signed stays valid")
        REVOKED = "revoked", _("revoked: nothing that it signed is to be trusted from a time on")

    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="keys")
    number = models.PositiveIntegerField(help_text=_("counted for each issuer, names it in the DID document"))
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    current = models.BooleanField(null=True, default=True)
    public_key = models.CharField(max_length=64, unique=True, help_text=_("Multikey: z6Mk…"))
    # Encrypted with ISSUER_KEY_ENCRYPTION_KEYS; empty where a signer of its own holds the key.
    private_key_encrypted = SecretField(default=b"", editable=False)
    # What the signer calls the key, where it holds it.
    reference = models.CharField(max_length=255, blank=True, default="")
    created = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    # From when on its signatures are not to be trusted: when it may have come into other hands.
    revoked_from = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "number"], name="microcred_key_number"),
            models.UniqueConstraint(fields=["issuer", "current"], name="microcred_key_current"),
        ]
        verbose_name = _("key of an issuer")
        verbose_name_plural = _("keys of issuers")

    def __str__(self):
        return f"key-{self.number} of issuer {self.issuer_id} ({self.state})"


class StatusList(models.Model):
    """One Bitstring status list of an issuer, and how many of its places are given away.

    .. no_pii:
    """

    code = models.SlugField(max_length=80, unique=True, help_text=_("in its address"))
    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="status_lists")
    number = models.PositiveIntegerField()
    size = models.PositiveIntegerField(default=LIST_SIZE)
    # The next position; a keyed permutation turns positions into indexes, so that an index says
    # nothing about when its credential was issued.
    next_position = models.PositiveIntegerField(default=0)
    permutation_key = models.CharField(max_length=64, editable=False)
    # Counts changes of bits; a signed list says which count it shows.
    changes = models.PositiveBigIntegerField(default=0)
    created = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        constraints = [models.UniqueConstraint(fields=["issuer", "number"], name="microcred_list_number")]
        verbose_name = _("status list")
        verbose_name_plural = _("status lists")

    def __str__(self):
        return self.code


class StatusListDocument(models.Model):
    """A status list as it was last signed, for one purpose: signed once per change, not per request.

    .. no_pii:
    """

    status_list = models.ForeignKey(StatusList, on_delete=models.CASCADE, related_name="documents")
    purpose = models.CharField(max_length=16)
    changes = models.PositiveBigIntegerField(help_text=_("count of changes that it shows"))
    body = models.TextField()
    signed_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["status_list", "purpose"], name="microcred_list_purpose")
        ]

    def __str__(self):
        return f"{self.status_list_id} {self.purpose}"


class Credential(models.Model):
    """What is known of a signed credential of an award; the document itself is in SignedDocument.

    ``live`` is True or NULL: an award has one credential that is not superseded by a correction.

    .. pii: the learner's user id, and the name that the learner wants to be shown.
    .. pii_types: id, name
    .. pii_retirement: local_api
    """

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("public: search engines may list it")
        LINK = "link", _("whoever has the link")
        PRIVATE = "private", _("only me")

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="credentials")
    live = models.BooleanField(null=True, default=True)
    learner_id = models.BigIntegerField(db_index=True)
    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="+")
    key = models.ForeignKey(IssuerKey, on_delete=models.PROTECT, related_name="credentials")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    signed_at = models.DateTimeField()
    # Hash of what it says of the award, by which a correction that changes nothing is known.
    content = models.CharField(max_length=64)
    supersedes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="superseded_by")
    superseded_at = models.DateTimeField(null=True)
    # Status: the bits follow these two columns.
    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, related_name="credentials")
    status_index = models.PositiveIntegerField()
    revoked_at = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)
    status_reason = models.CharField(max_length=64, blank=True, default="")
    # What the learner decides. An empty visibility is the default one of the settings.
    visibility = models.CharField(max_length=8, choices=Visibility.choices, blank=True, default="")
    name_choice = models.CharField(max_length=16, blank=True, default="")
    shown_name = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["award", "live"], name="microcred_credential_award"),
            models.UniqueConstraint(
                fields=["status_list", "status_index"], name="microcred_credential_index"
            ),
        ]
        indexes = [
            models.Index(fields=["issuer", "revoked_at"], name="microcred_credential_revoked"),
        ]
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")

    def __str__(self):
        return self.uuid


class DocumentDictionary(models.Model):
    """A text that many documents have in common, by which they are compressed to a tenth. Never changed.

    .. no_pii:
    """

    sha256 = models.CharField(max_length=64, unique=True)
    content = models.BinaryField(editable=False)

    class Meta:
        app_label = "mooc_microcred"

    def __str__(self):
        return self.sha256[:12]


class SignedDocument(models.Model):
    """A document as it was signed; its bytes never change. Compressed with zlib.

    .. pii: the salted hash of the learner's e-mail address, and results.
    .. pii_types: id, other
    .. pii_retirement: local_api
    """

    class Kind(models.TextChoices):
        CREDENTIAL = "credential", _("Open Badges 3.0 credential")
        RECORD = "record", _("Comprehensive Learner Record 2.0 of a programme")

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="documents")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.CREDENTIAL)
    body = models.BinaryField(editable=False)
    dictionary = models.ForeignKey(DocumentDictionary, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        app_label = "mooc_microcred"
        constraints = [models.UniqueConstraint(fields=["credential", "kind"], name="microcred_document_kind")]

    def __str__(self):
        return f"{self.kind} of credential {self.credential_id}"


class CredentialDue(models.Model):
    """An award whose credential is to be made, or looked at again after a correction.

    .. no_pii: the award only.
    """

    award = models.OneToOneField(Award, on_delete=models.CASCADE, related_name="+")
    # When a worker may next take it; pushed ahead by a claim and by each attempt that had to wait.
    due = models.DateTimeField(db_index=True)
    claim = models.CharField(max_length=32, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=64, blank=True, default="", help_text=_("a code: why it waits"))

    class Meta:
        app_label = "mooc_microcred"
        verbose_name = _("credential to be made")
        verbose_name_plural = _("credentials to be made")

    def __str__(self):
        return f"award {self.award_id} {self.reason}"


class IssueWalk(models.Model):
    """How far the walk over all awards has come that finds those without a credential.

    .. no_pii:
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    after_award = models.BigIntegerField(default=0)
    found = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"

    def __str__(self):
        return f"after award {self.after_award}"


class LearnerDid(models.Model):
    """The decentralised identifier under which a learner wants credentials; control of it was proved.

    .. pii: the learner's user id and DID.
    .. pii_types: id, other
    .. pii_retirement: local_api
    """

    learner_id = models.BigIntegerField(primary_key=True)
    did = models.CharField(max_length=255)
    proved_at = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"

    def __str__(self):
        return f"DID of learner {self.learner_id}"


class Endorsement(models.Model):
    """An industry partner or institution speaks for an achievement, as a signed EndorsementCredential.

    .. pii: the user id of the member of staff who recorded it.
    .. pii_types: id
    .. pii_retirement: retained
    """

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    endorser = models.ForeignKey(Issuer, on_delete=models.PROTECT, related_name="endorsements")
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="endorsements")
    # True or NULL (withdrawn): one endorsement of an achievement by each partner.
    live = models.BooleanField(null=True, default=True)
    comment = models.JSONField(help_text=_("Thai and English"))
    key = models.ForeignKey(IssuerKey, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(editable=False)
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(
                fields=["endorser", "achievement", "live"], name="microcred_endorsement_live"
            )
        ]
        verbose_name = _("endorsement")
        verbose_name_plural = _("endorsements")

    def __str__(self):
        return self.uuid


class Picture(models.Model):
    """A picture of an institution, written anew by us as PNG: a logo, a badge or a signature.

    .. pii: the user id of who uploaded it; a signature is that of an officer of the institution.
    .. pii_types: id, other
    .. pii_retirement: retained
    """

    class Purpose(models.TextChoices):
        LOGO = "logo", _("logo of an issuer")
        BADGE = "badge", _("badge of an achievement")
        SIGNATURE = "signature", _("signature on certificates")

    uuid = models.CharField(max_length=36, unique=True, default=new_uuid)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    issuer = models.ForeignKey(Issuer, null=True, on_delete=models.CASCADE, related_name="pictures")
    achievement = models.ForeignKey(Achievement, null=True, on_delete=models.CASCADE, related_name="pictures")
    # True or NULL (replaced): credentials name a picture by its uuid, so old ones stay.
    live = models.BooleanField(null=True, default=True)
    content = models.BinaryField(editable=False)
    media_type = models.CharField(max_length=32, default="image/png")
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    caption = models.JSONField(default=dict, blank=True, help_text=_("Thai and English"))
    uploaded_by = models.BigIntegerField(null=True)
    uploaded_at = models.DateTimeField()

    class Meta:
        app_label = "mooc_microcred"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "purpose", "live"], name="microcred_picture_issuer"),
            models.UniqueConstraint(
                fields=["achievement", "purpose", "live"], name="microcred_picture_achievement"
            ),
        ]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self):
        return f"{self.purpose} {self.uuid}"


class CertificateTemplate(models.Model):
    """How an issuer's printed certificates look and who signs them; one for each kind or for all.

    .. pii: names of the officers who sign certificates for the institution.
    .. pii_types: name
    .. pii_retirement: retained
    """

    issuer = models.ForeignKey(Issuer, on_delete=models.CASCADE, related_name="templates")
    kind = models.CharField(max_length=16, blank=True, default="", help_text=_("empty: every kind"))
    settings = models.JSONField(default=dict)
    changed_at = models.DateTimeField()
    changed_by = models.BigIntegerField(null=True)

    class Meta:
        app_label = "mooc_microcred"
        constraints = [models.UniqueConstraint(fields=["issuer", "kind"], name="microcred_template_kind")]
        verbose_name = _("template of certificates")
        verbose_name_plural = _("templates of certificates")

    def __str__(self):
        return f"{self.issuer_id} {self.kind or '*'}"
