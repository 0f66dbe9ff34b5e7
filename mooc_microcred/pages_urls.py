"""All addresses below ``microcred/``: each room brings the pages of its own."""

from mooc_microcred.achievements.pages.urls import urlpatterns as achievements
from mooc_microcred.competencies.pages.staff_urls import urlpatterns as staff_frameworks
from mooc_microcred.competencies.pages.urls import urlpatterns as competencies
from mooc_microcred.core.pages.urls import urlpatterns as core
from mooc_microcred.credentials.pages.urls import urlpatterns as credentials
from mooc_microcred.creditbank.pages.urls import urlpatterns as creditbank
from mooc_microcred.dashboard.pages.urls import urlpatterns as dashboard
from mooc_microcred.exams.pages.urls import urlpatterns as exams
from mooc_microcred.reporting.pages.urls import urlpatterns as reporting

urlpatterns = [
    *credentials,
    *competencies,
    *staff_frameworks,
    *dashboard,
    *exams,
    *achievements,
    *creditbank,
    *reporting,
    *core,
]
