"""Addresses of the core room."""

from django.urls import path

from mooc_microcred.core.rest_api import endpoints, routing

routing.register()

urlpatterns = [
    path("me/", endpoints.MeView.as_view(), name="me"),
    path("my/identities/", endpoints.MyIdentityView.as_view(), name="my-identities"),
    path("my/data/", endpoints.MyDataView.as_view(), name="my-data"),
    path("staff/audit/", endpoints.AuditView.as_view(), name="audit"),
    path("staff/identities/", endpoints.IdentitiesView.as_view(), name="identities"),
    path(
        "staff/learners/<microcred_id:learner_id>/identities/",
        endpoints.LearnerIdentitiesView.as_view(),
        name="learner-identities",
    ),
    path("staff/learners/find/", endpoints.FindLearnerView.as_view(), name="find-learner"),
    path("staff/outbox/", endpoints.OutboxView.as_view(), name="outbox"),
    path("staff/outbox/dead-letters/", endpoints.DeadLettersView.as_view(), name="outbox-dead-letters"),
    path(
        "staff/outbox/dead-letters/replay/",
        endpoints.ReplayDeadLettersView.as_view(),
        name="replay-outbox-dead-letters",
    ),
]
