"""Addresses of the Open Badges 3.0 API, below ``ims/ob/v3p0/``, without slashes at the end as specified."""

from django.urls import path

from mooc_microcred.credentials.rest_api import wallet

urlpatterns = [
    path("credentials", wallet.WalletCredentialsView.as_view(), name="wallet-credentials"),
    path("profile", wallet.WalletProfileView.as_view(), name="wallet-profile"),
    path("discovery", wallet.DiscoveryView.as_view(), name="wallet-discovery"),
]
