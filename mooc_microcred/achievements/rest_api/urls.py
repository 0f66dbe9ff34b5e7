"""Addresses of the achievements room."""

from django.urls import path

from mooc_microcred.achievements.rest_api import endpoints
from mooc_microcred.core.rest_api import routing

routing.register()

urlpatterns = [
    path("catalogue/achievements/", endpoints.AchievementsView.as_view(), name="achievements"),
    path(
        "catalogue/achievements/<microcred_code:code>/",
        endpoints.AchievementView.as_view(),
        name="achievement",
    ),
    path("my/awards/", endpoints.MyAwardsView.as_view(), name="my-awards"),
    path("my/awards/<uuid:award>/", endpoints.MyAwardView.as_view(), name="my-award"),
    path(
        "staff/certificate-requests/",
        endpoints.CertificateRequestsView.as_view(),
        name="certificate-requests",
    ),
    path("staff/awards/", endpoints.AwardsView.as_view(), name="awards"),
    path("staff/awards/<uuid:award>/", endpoints.AwardView.as_view(), name="award"),
    path("staff/awards/<uuid:award>/revoke/", endpoints.RevokeAwardView.as_view(), name="revoke-award"),
    path("staff/awards/<uuid:award>/suspend/", endpoints.SuspendAwardView.as_view(), name="suspend-award"),
    path(
        "staff/awards/<uuid:award>/reinstate/", endpoints.ReinstateAwardView.as_view(), name="reinstate-award"
    ),
    path(
        "staff/awards/<uuid:award>/allow-again/", endpoints.AllowAgainView.as_view(), name="allow-award-again"
    ),
    path("staff/run-offers/", endpoints.RunOffersView.as_view(), name="run-offers"),
    path("staff/run-offers/<microcred_id:offer>/adopt/", endpoints.AdoptRunView.as_view(), name="adopt-run"),
    path(
        "staff/run-offers/<microcred_id:offer>/decline/",
        endpoints.DeclineRunView.as_view(),
        name="decline-run",
    ),
    path("staff/evaluation-queue/", endpoints.EvaluationQueueView.as_view(), name="evaluation-queue"),
]
