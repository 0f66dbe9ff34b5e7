"""Pages."""

from django.http import Http404

from mooc_microcred.core.pages.people import person_page


@person_page()
def badges(request, **where):
    raise Http404


@person_page()
def programmes(request, **where):
    raise Http404


@person_page()
def programme(request, **where):
    raise Http404


@person_page()
def exams(request, **where):
    raise Http404


@person_page()
def credits(request, **where):
    raise Http404


@person_page()
def data(request, **where):
    raise Http404
