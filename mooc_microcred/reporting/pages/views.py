"""Pages."""

from django.http import Http404

from mooc_microcred.core.pages.people import person_page


@person_page()
def home(request, **where):
    raise Http404
