"""Pages."""

from django.http import Http404

from mooc_microcred.core.pages.people import person_page


@person_page()
def audit(request, **where):
    raise Http404


@person_page()
def dead_letters(request, **where):
    raise Http404
