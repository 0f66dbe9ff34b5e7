"""Pages."""

from django.http import Http404

from mooc_microcred.core.pages.people import person_page


@person_page()
def desk(request, **where):
    raise Http404


@person_page()
def record(request, **where):
    raise Http404
