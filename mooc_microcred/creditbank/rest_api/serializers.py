"""Forms of what the creditbank room asks for and answers."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from mooc_microcred.core.rest_api.fields import Exact, Id, Instant, Organization, TextSerializer
from mooc_microcred.core.rest_api.paging import PageQuery
from mooc_microcred.creditbank.consents import LANGUAGES
from mooc_microcred.creditbank.models import CreditRecord, Delivery


class BankCode(serializers.RegexField):
    """The code of a credit bank, as the settings have it."""

    default_error_messages = {"invalid": _("This is not the code of a credit bank.")}

    def __init__(self, **options):
        super().__init__(regex=r"\A[a-z0-9][a-z0-9_-]{0,63}\Z", **options)


class ConsentSerializer(serializers.Serializer):
    """A consent; live while it is not withdrawn."""

    id = serializers.IntegerField()
    bank = serializers.CharField()
    text_version = serializers.CharField()
    language = serializers.CharField()
    given_at = Instant()
    withdrawn_at = Instant(allow_null=True)


class BankAccountSerializer(serializers.Serializer):
    """One credit bank, as the learner sees it."""

    code = serializers.CharField()
    name = TextSerializer()
    consent_version = serializers.CharField(help_text="of the text in force")
    consent_text = TextSerializer()
    requires_identity = serializers.BooleanField()
    identity_recorded = serializers.BooleanField()
    consent = ConsentSerializer(allow_null=True, help_text="the live one")
    credits_in_bank = Exact()


class AccountSerializer(serializers.Serializer):
    """The learner's credit account."""

    banks = BankAccountSerializer(many=True)


class ConsentBody(serializers.Serializer):
    """What the learner agrees to, and in which language they read it."""

    bank = BankCode()
    text_version = serializers.CharField(max_length=32, help_text=_("version of the text that was shown"))
    language = serializers.ChoiceField(choices=LANGUAGES)


class WithdrawalBody(serializers.Serializer):
    """For which bank the consent is withdrawn."""

    bank = BankCode()


class MyDeliverySerializer(serializers.Serializer):
    """One thing told to the bank."""

    sequence = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Delivery.Kind.choices)
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    reason = serializers.CharField(allow_blank=True)
    receipt = serializers.CharField(allow_blank=True)
    created = Instant()
    sent_at = Instant(allow_null=True)
    acknowledged_at = Instant(allow_null=True)


class DepositSerializer(serializers.Serializer):
    """What an award is worth to a bank, and where that stands."""

    uuid = serializers.UUIDField()
    award = serializers.UUIDField()
    achievement = serializers.CharField()
    achievement_name = TextSerializer()
    organization = serializers.CharField()
    bank = serializers.CharField()
    bank_name = TextSerializer()
    state = serializers.ChoiceField(choices=CreditRecord.State.choices)
    status = serializers.CharField(help_text="where it stands, one sentence in the reader's language")
    in_bank = serializers.BooleanField()
    method_code = serializers.CharField(help_text="method of assessment: CS, CN, CT, CP or CE")
    credits = Exact()
    hours = Exact()
    created = Instant()
    changed = Instant()
    deliveries = MyDeliverySerializer(many=True)


class DeliverySerializer(MyDeliverySerializer):
    """One thing told to a bank, as the credit officer sees it."""

    id = serializers.IntegerField()
    record = serializers.UUIDField()
    bank = serializers.CharField()
    organization = serializers.CharField()
    key = serializers.CharField(help_text="idempotency key")
    attempts = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True, help_text="code of the last failure")
    error_text = serializers.CharField(allow_blank=True)
    in_doubt = serializers.BooleanField(help_text="whether the bank may have it although no receipt is there")
    due = Instant(allow_null=True)
    handed_over_at = Instant(allow_null=True)


class CreditRecordSerializer(DepositSerializer):
    """A credit record, as the credit officer sees it."""

    learner_id = serializers.IntegerField()
    deliveries = DeliverySerializer(many=True)


class CreditRecordsQuery(PageQuery):
    """Which credit records."""

    organization = Organization(required=False)
    bank = BankCode(required=False)
    state = serializers.ChoiceField(choices=CreditRecord.State.choices, required=False)
    learner_id = Id(required=False)


class DeliveriesQuery(PageQuery):
    """Which deliveries; ``state=dead`` are the dead letters."""

    organization = Organization(required=False)
    bank = BankCode(required=False)
    state = serializers.ChoiceField(choices=Delivery.State.choices, required=False)
    record = serializers.UUIDField(required=False)
