"""A learner's credit account, and what credit officers see and do about deliveries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from mooc_microcred.core.rest_api.endpoints import IdsBody, ReplaySerializer
from mooc_microcred.core.rest_api.paging import Page, PageQuery, page_of_list, page_size
from mooc_microcred.core.rest_api.views import ApiView, StaffView, operation
from mooc_microcred.core.roles import Role
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.rest_api import serializers as forms


class MyAccountView(ApiView):
    """The learner's credit account."""

    @operation("read_my_credit_account", "My credit account", tag="my", answer=forms.AccountSerializer)
    def get(self):
        """Every credit bank with its text of consent, my consent and my credits there."""
        return creditbank.my_account(learner_id=self.learner_id)


class MyConsentsView(ApiView):
    """The learner's consents."""

    @operation(
        "list_my_consents",
        "Every consent that I ever gave, the newest first",
        tag="my",
        query=PageQuery,
        answer=forms.ConsentSerializer,
        listed=True,
    )
    def get(self, query):
        """Withdrawn ones too."""
        return page_of_list(creditbank.my_account(learner_id=self.learner_id).consents, query)

    @operation(
        "give_consent",
        "Agree that my credit is sent to a bank",
        tag="my",
        body=forms.ConsentBody,
        answer=forms.ConsentSerializer,
        refusals=(404,),
    )
    def post(self, body):
        """Given again, it answers with the consent that there is."""
        return creditbank.give_consent(learner_id=self.learner_id, **body)


class WithdrawConsentView(ApiView):
    """Withdrawing a consent."""

    @operation(
        "withdraw_consent",
        "Withdraw my consent",
        tag="my",
        body=forms.WithdrawalBody,
        answer=forms.ConsentSerializer,
        refusals=(409,),
    )
    def post(self, body):
        """Nothing more is sent; what the bank has stays with it."""
        return creditbank.withdraw_consent(learner_id=self.learner_id, bank=body["bank"])


class MyDepositsView(ApiView):
    """The learner's credit."""

    @operation(
        "list_my_deposits",
        "My credit, and what the bank was told, the newest first",
        tag="my",
        query=PageQuery,
        answer=forms.DepositSerializer,
        listed=True,
    )
    def get(self, query):
        """Also what still waits, and for what."""
        return page_of_list(creditbank.my_account(learner_id=self.learner_id).records, query)


class CreditOfficersView(StaffView):
    """The base of the credit officers' endpoints."""

    roles: Collection[str] = (Role.CREDIT_OFFICER, Role.AUDITOR)

    def listed(self, verb: Callable[..., Sequence[Any]], query: dict[str, Any]) -> Page:
        """Return a page of what a listing verb finds; nothing of organisations that are not the reader's."""
        wanted = query.get("organization")
        if wanted and not self.actor.has(self.roles, wanted):
            return Page([], None)
        size = page_size(query)
        found = verb(
            actor=self.actor,
            before=query.get("cursor"),
            limit=size + 1,
            **{name: value for name, value in query.items() if name not in ("cursor", "page_size")},
        )
        return Page(found[:size], found[size - 1].id if len(found) > size else None)


class CreditRecordsView(CreditOfficersView):
    """Credit records of the reader's organisations."""

    @operation(
        "list_credit_records",
        "Credit records, the newest first",
        tag="staff",
        query=forms.CreditRecordsQuery,
        answer=forms.CreditRecordSerializer,
        listed=True,
    )
    def get(self, query):
        """With what each waits for."""
        return self.listed(creditbank.list_records, query)


class CreditRecordView(CreditOfficersView):
    """One credit record."""

    @operation(
        "read_credit_record",
        "A credit record with everything that the bank was told",
        tag="staff",
        answer=forms.CreditRecordSerializer,
        refusals=(404,),
    )
    def get(self, record):
        """In the order in which the bank was told."""
        return creditbank.get_record(actor=self.actor, uuid=str(record))


class DeliveriesView(CreditOfficersView):
    """Deliveries of the reader's organisations."""

    @operation(
        "list_deliveries",
        "Deliveries to banks, the newest first",
        tag="staff",
        query=forms.DeliveriesQuery,
        answer=forms.DeliverySerializer,
        listed=True,
    )
    def get(self, query):
        """What waits, what fails and why, and with ``state=dead`` what was given up."""
        if "record" in query:
            query = {**query, "record": str(query["record"])}
        return self.listed(creditbank.list_deliveries, query)


class ReplayDeliveriesView(CreditOfficersView):
    """Deliveries that were given up go back into the queue."""

    roles = (Role.CREDIT_OFFICER,)

    @operation(
        "replay_deliveries",
        "Try deliveries again that were given up",
        tag="staff",
        body=IdsBody,
        answer=ReplaySerializer,
        refusals=(404, 409),
    )
    def post(self, body):
        """Needs a credit officer of every organisation whose deliveries they are."""
        return {"replayed": creditbank.replay_deliveries(actor=self.actor, delivery_ids=body["ids"])}
