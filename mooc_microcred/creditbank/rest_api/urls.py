"""Addresses of the creditbank room."""

from django.urls import path

from mooc_microcred.creditbank.rest_api import endpoints

urlpatterns = [
    path("my/credit-account/", endpoints.MyAccountView.as_view(), name="my-credit-account"),
    path("my/consents/", endpoints.MyConsentsView.as_view(), name="my-consents"),
    path("my/consents/withdraw/", endpoints.WithdrawConsentView.as_view(), name="withdraw-consent"),
    path("my/deposits/", endpoints.MyDepositsView.as_view(), name="my-deposits"),
    path("staff/credit-records/", endpoints.CreditRecordsView.as_view(), name="credit-records"),
    path("staff/credit-records/<uuid:record>/", endpoints.CreditRecordView.as_view(), name="credit-record"),
    path("staff/deliveries/", endpoints.DeliveriesView.as_view(), name="deliveries"),
    path("staff/deliveries/replay/", endpoints.ReplayDeliveriesView.as_view(), name="replay-deliveries"),
]
