"""Forms of the sandbox's pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class SelfTestForm(forms.Form):
    """The questions of a self-test, one radio group each."""

    def __init__(self, *args, questions, **kwargs):
        super().__init__(*args, **kwargs)
        self.questions = list(questions)
        for question in self.questions:
            self.fields[self.name_of(question)] = forms.TypedChoiceField(
                label=question.text,
                choices=list(enumerate(question.options)),
                coerce=int,
                widget=forms.RadioSelect,
                error_messages={"required": _("Please choose an answer.")},
            )

    @staticmethod
    def name_of(question) -> str:
        return f"question{question.position}"

    @property
    def rows(self):
        """Return (question, bound field) pairs."""
        return [(question, self[self.name_of(question)]) for question in self.questions]

    @property
    def answers(self) -> dict[int, int]:
        """Return the index of the chosen option by question id."""
        return {question.id: self.cleaned_data[self.name_of(question)] for question in self.questions}


class InvalidateForm(forms.Form):
    """Which certificate is invalidated, and why."""

    certificate = forms.IntegerField(widget=forms.HiddenInput)
    notes = forms.CharField(label=_("Reason"), max_length=500)
