"""The block ``microcred_progress``: the learner's ladder in the course, and the one next step."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from web_fragments.fragment import Fragment
from xblock.core import XBlock
from xblock.exceptions import JsonHandlerError
from xblock.fields import Boolean, Scope, String

from mooc_microcred.dashboard import api as dashboard
from mooc_microcred.dashboard.data import Step
from mooc_microcred_xblocks.base import MicrocredBlock
from mooc_microcred_xblocks.messages import gettext_noop as _

KINDS = {
    "level1": _("Level 1: completion"),
    "exam": _("Standard exam"),
    "level2": _("Level 2: achievement"),
    "programme": _("Stacked programme"),
    "credit": _("Credit bank"),
}
STATES = {"done": _("Done"), "now": _("You are here"), "open": _("To come")}
BUTTONS = {
    "study": _("Continue the course"),
    "raise_grade": _("Improve your grade"),
    "pass_subsection": _("Go to the graded part"),
    "take_exam": _("About the exam"),
    "resit_exam": _("About the exam"),
    "enrol": _("Go to the course"),
    "give_consent": _("Read it and give consent"),
}


class ProgressBlock(MicrocredBlock):
    """Shows where a learner stands between the course and the credit bank, and what to do next."""

    display_name = String(
        display_name=_("Title"),
        help=_("Shown to learners above the ladder."),
        default=_("Your way to the credential"),
        scope=Scope.settings,
    )
    show_worth = Boolean(
        display_name=_("Show what it is worth"),
        help=_("Hours, credits, learning outcomes and who accepts it."),
        default=True,
        scope=Scope.settings,
    )

    @XBlock.supports("multi_device")
    def student_view(self, context=None) -> Fragment:
        """Show the learner's ladder."""
        # Libraries show their authors this view.
        nobody = self.in_studio or self.in_library
        return self._ladder_page(None if nobody else self.reader_id(), author=self.in_library)

    @XBlock.supports("multi_device")
    def public_view(self, context=None) -> Fragment:
        """Show visitors what the course leads to."""
        return self._ladder_page(None)

    def author_view(self, context=None) -> Fragment:
        """Show authors what learners see, without anybody's standing."""
        return self._ladder_page(None, author=True)

    def studio_view(self, context=None) -> Fragment:
        """Let authors set the title, and whether the worth is shown."""
        return self.editor("progress_studio.html", "MicrocredProgressEditor", {}, show_worth=self.show_worth)

    def student_view_data(self, context=None) -> dict[str, Any]:
        """Return what the course leads to; nothing of a learner, since the apps keep it for everybody."""
        ladder = dashboard.read_course_ladder(course_key=self.context_id)
        return {
            "rungs": [
                {"kind": one.kind, "code": one.code, "name": {"th": one.name.th, "en": one.name.en}}
                for one in ladder.rungs
            ],
            "progress_url": self.address("mooc_microcred:my-dashboard"),
        }

    def _ladder_page(self, learner_id: int | None, *, author: bool = False) -> Fragment:
        ladder = dashboard.read_course_ladder(course_key=self.context_id, learner_id=learner_id)
        rungs = [
            {
                "state": one.state,
                "state_text": self.say(STATES[one.state]),
                "mark": "✓" if one.state == "done" else str(place),
                "kind": self.say(KINDS[one.kind]),
                "name": one.name.in_language(self.language),
                "needs": one.needs,
                "note": one.note,
            }
            for place, one in enumerate(ladder.rungs, start=1)
        ]
        return self.page(
            "progress_student.html",
            title=self.say(self.display_name)
            if self.display_name
            else self.say(_("Your way to the credential")),
            rungs=rungs,
            personal=ladder.personal,
            complete=ladder.complete,
            step=ladder.step,
            button=self._button(ladder.step),
            earned_all=bool(rungs) and ladder.personal and ladder.step is None,
            worths=[self._worth(one) for one in ladder.worths] if self.show_worth else [],
            author=author,
            library=self.in_library,
        )

    def _button(self, step: Step | None) -> dict[str, str] | None:
        if step is None or step.action not in BUTTONS:
            return None
        url = step.url
        if "exam" in step.action:
            # The reader stands in the course already: what they need is when and where the exam is.
            url = step.worth.further_information or self.address("mooc_microcred:page-exams")
        return {"url": url, "text": self.say(BUTTONS[step.action])} if url else None

    def _worth(self, one: Any) -> dict[str, Any]:
        worth = one.worth
        facts = [(self.say(_("Work")), self.say(_("%(hours)s hours"), hours=_plain(worth.hours)))]
        if worth.credits:
            facts.append((self.say(_("Credits")), _plain(worth.credits)))
        if worth.nqf_level:
            facts.append(
                (
                    self.say(_("Qualifications framework")),
                    self.say(_("level %(level)s"), level=worth.nqf_level),
                )
            )
        return {
            "kind": self.say(KINDS[one.kind]),
            "name": one.name.in_language(self.language),
            "facts": facts,
            "outcomes": [outcome.in_language(self.language) for outcome in one.outcomes],
            "accepted_by": [who.in_language(self.language) for who in worth.accepted_by],
            "more": worth.further_information if worth.further_information.startswith("http") else "",
        }

    @XBlock.json_handler
    def submit_studio_edits(self, data, suffix=""):
        """Save what an author has set; in Studio only, and only for authors.

        Args:
            data: ``{"display_name": text, "show_worth": true or false}``.
        """
        self.require_author()
        if not isinstance(data, Mapping) or not isinstance(data.get("show_worth"), bool):
            raise JsonHandlerError(400, self.say(_("The form could not be read.")))
        name = data.get("display_name")
        if not isinstance(name, str) or len(name) > 255:
            raise JsonHandlerError(400, self.say(_("The title has at most 255 characters.")))
        self.display_name = name.strip() or type(self).display_name.default
        self.show_worth = data["show_worth"]
        return {"result": "success"}


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
