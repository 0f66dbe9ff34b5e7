"""Pages and files of credentials, achievements and issuers, for anybody, without signing in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.catalogue import parse_definition
from mooc_microcred.achievements.data import Text
from mooc_microcred.achievements.models import AchievementVersion, Issuer
from mooc_microcred.core.dates import display_date
from mooc_microcred.core.errors import MicrocredError, NotFound, WrongState
from mooc_microcred.core.pages.language import wanted_language
from mooc_microcred.core.pages.people import login_url
from mooc_microcred.core.pages.site import page, rendered
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials import baking, pictures, words
from mooc_microcred.credentials.models import Picture
from mooc_microcred.credentials.pages import assets, reading
from mooc_microcred.credentials.pages.negotiation import HTML, JSON_TYPES, JWT, wanted_form
from mooc_microcred.credentials.pages.og import open_graph_png
from mooc_microcred.credentials.pdf import certificates
from mooc_microcred.credentials.pdf.typesetting import PdfBusy, PdfUnavailable, pdf_available, qr_svg
from mooc_microcred.credentials.verification import limits
from mooc_microcred.credentials.verification.report import Outcome, VerificationReport
from mooc_microcred.credentials.verification.report import Verdict as Found
from mooc_microcred.credentials.visibility import (
    NAME_CHOICES,
    Visibility,
    may_see,
    names_of_learner,
    share_credential,
    sharing_of,
    visibility_of,
)

# What draws, typesets or verifies works for tenths of a second and only reads, so it holds no
# transaction of the platform open meanwhile (non_atomic_requests).

# Seconds for which a page that was put together is kept; what a learner or the award changes shows at once.
KEEP_PAGE = 300
KEEP_PICTURE = 24 * 3600


def _seen(request: HttpRequest, uuid: str) -> tuple[Any, bool]:
    """Return (credential or None, whether only its learner sees it). None also for what is hidden."""
    credential = reading.find_credential(str(uuid))
    if credential is None or credential.award.published_at is None:
        return None, False
    if visibility_of(credential) != Visibility.PRIVATE:
        return credential, False
    # The session is opened only here, so that public pages do not cost a query for it.
    viewer = request.user.id if request.user.is_authenticated else None
    return (credential, True) if may_see(credential, viewer_id=viewer) else (None, False)


def _unknown(request: HttpRequest) -> HttpResponse:
    """Return the answer for what does not exist; what is private answers with the same words."""
    language = wanted_language(request)
    with translation.override(language):
        context = {
            "mood": "warn",
            "heading": _("There is no such credential here"),
            "sentences": [
                _("The address may be mistyped, or its holder does not show this credential."),
                _("If you have its file, you can verify it."),
            ],
            "verify": True,
        }
    answer = page(rendered("message.html", context, language), language, status=404, shared=False)
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


@require_safe
def credential(request: HttpRequest, uuid) -> HttpResponseBase:
    """Show a credential to a person, or answer a program with the signed document."""
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    form, media_type = wanted_form(request)
    if form != HTML:
        answer = _document(request, found, "jwt" if form == JWT else "json", media_type, owner_only)
        answer["Vary"] = "Accept"
        return answer
    language = wanted_language(request)
    stamp = reading.stamp_of(found, language, owner_only, pdf_available())
    fresh = get_conditional_response(request, etag=f'W/"{stamp}"')
    if fresh is not None:
        return fresh
    key = f"mooc_microcred.page.{stamp}"
    content = cache.get(key)
    if content is None:
        with translation.override(language):
            shown = reading.shown_credential(found, language)
        context = {
            "shown": shown,
            "colours": shown.colours,
            "listed": shown.listed,
            "owner_only": owner_only,
            "pdf": pdf_available(),
            "qr": qr_svg(shown.address),
        }
        content = rendered("credential.html", context, language)
        cache.set(key, content, KEEP_PAGE)
    listed = visibility_of(found) == Visibility.PUBLIC
    answer = page(content, language, listed=listed, shared=not owner_only)
    answer["ETag"] = f'W/"{stamp}"'
    answer["Link"] = (
        f'<{reading.page_path(found.uuid)}/credential.json>; rel="alternate"; type="{JSON_TYPES[0]}"'
    )
    return answer


def _document(
    request: HttpRequest, found: Any, form: str, media_type: str, owner_only: bool, *, saved: bool = False
) -> HttpResponseBase:
    """Return the signed document. Its bytes never change; who sees it may, so it is asked for anew."""
    etag = f'"{found.uuid}-{form}-{found.content[:16]}"'
    modified = int(found.signed_at.timestamp())
    fresh = get_conditional_response(request, etag=etag, last_modified=modified)
    if fresh is not None:
        answer = fresh
    else:
        try:
            content = credentials.signed_jwt(uuid=found.uuid) if form == "jwt" else _signed_bytes(found)
        except WrongState as error:
            return _plain(error.message, 409)
        answer = HttpResponse(content, content_type=media_type)
        if saved:
            extension = "jwt" if form == "jwt" else "json"
            answer["Content-Disposition"] = f'attachment; filename="{found.uuid}.{extension}"'
    answer["ETag"] = etag
    answer["Last-Modified"] = http_date(modified)
    return _for_programs(answer, found, owner_only)


def _signed_bytes(found: Any) -> bytes:
    """Return a document that was signed, kept for a while: its bytes never change."""
    key = f"mooc_microcred.signed.{found.uuid}.{found.content}"
    content = cache.get(key)
    if content is None:
        content = credentials.signed_bytes(uuid=found.uuid)
        cache.set(key, content, KEEP_PAGE)
    return content


def _plain(message: str, status: int) -> HttpResponse:
    answer = HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer


def _for_programs(answer: HttpResponseBase, found: Any, owner_only: bool) -> HttpResponseBase:
    answer["Cache-Control"] = "private, no-store" if owner_only else "no-cache"
    answer["X-Content-Type-Options"] = "nosniff"
    # Verifiers run in browsers of other origins; there is nothing here that a cookie opens to them.
    if not owner_only:
        answer["Access-Control-Allow-Origin"] = "*"
    if visibility_of(found) != Visibility.PUBLIC:
        answer["X-Robots-Tag"] = "noindex"
    return answer


@require_safe
def credential_json(request: HttpRequest, uuid) -> HttpResponseBase:
    """Answer with the signed document as JSON-LD."""
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    _form, asked = wanted_form(request)
    media_type = asked if asked in JSON_TYPES else JSON_TYPES[0]
    return _document(request, found, "json", media_type, owner_only)


@require_safe
def record(request: HttpRequest, uuid) -> HttpResponseBase:
    """Answer with the Comprehensive Learner Record of a programme: the signed credentials it stands on.

    It holds those credentials themselves, so strangers get it only where they would get each of them.
    """
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    try:
        content = credentials.signed_bytes(uuid=found.uuid, record=True)
    except NotFound:
        return _unknown(request)
    if not owner_only and reading.holds_private(content):
        owner_only = request.user.is_authenticated and request.user.id == found.learner_id
        if not owner_only:
            return _unknown(request)
    return _for_programs(HttpResponse(content, content_type=JSON_TYPES[0]), found, owner_only)


@require_safe
def credential_jwt(request: HttpRequest, uuid) -> HttpResponseBase:
    """Answer with the signed document as VC-JWT."""
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    return _document(request, found, "jwt", "application/vc+jwt", owner_only)


@require_safe
def assertion(request: HttpRequest, uuid) -> HttpResponseBase:
    """Answer with the hosted Open Badges 2.0 assertion, for old displays."""
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    content = credentials.hosted_assertion_text(uuid=found.uuid)
    answer = HttpResponse(content, content_type="application/ld+json")
    return _for_programs(answer, found, owner_only)


@require_safe
def badge_png(request: HttpRequest, uuid) -> HttpResponseBase:
    """Answer with the badge picture, the signed document in it."""
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    content = baking.bake_png(plain_badge_png(found), credentials.signed_bytes(uuid=found.uuid).decode())
    answer = assets.hardened(HttpResponse(content, content_type="image/png"))
    return _for_programs(answer, found, owner_only)


@require_safe
def badge_svg(request: HttpRequest, uuid) -> HttpResponseBase:
    """Answer with the badge picture as SVG, the signed document in it."""
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    definition = parse_definition(found.award.version)
    uploaded = _uploaded_badge(found)
    title = definition.name.in_language("en")
    if uploaded is None:
        look = reading.look_of_issuer(found.issuer_id, definition.kind)
        drawn = pictures.badge_svg(definition.kind, colour=look.colour, title=title)
    else:
        drawn = pictures.svg_around(
            bytes(uploaded.content), width=uploaded.width, height=uploaded.height, title=title
        )
    content = baking.bake_svg(drawn, credentials.signed_bytes(uuid=found.uuid).decode())
    answer = assets.hardened(HttpResponse(content, content_type="image/svg+xml"))
    return _for_programs(answer, found, owner_only)


def _uploaded_badge(found: Any) -> Any:
    achievement_id = found.award.version.achievement_id
    rows = Picture.objects.filter(achievement_id=achievement_id, purpose=Picture.Purpose.BADGE, live=True)
    return rows.first()


def plain_badge_png(found: Any) -> bytes:
    """Return the badge picture of a credential without anything in it."""
    uploaded = _uploaded_badge(found)
    if uploaded is not None:
        return bytes(uploaded.content)
    kind = found.award.version.achievement.kind
    return pictures.badge_png(kind, colour=reading.look_of_issuer(found.issuer_id, kind).colour)


@transaction.non_atomic_requests
@require_safe
def open_graph(request: HttpRequest, uuid) -> HttpResponseBase:
    """Answer with the picture that stands beside a shared address; it holds nothing of the learner."""
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    language = wanted_language(request)
    definition = parse_definition(found.award.version)
    look = reading.look_of_issuer(found.issuer_id, definition.kind)
    uploaded = _uploaded_badge(found)
    with translation.override(language):
        says = {
            "title": definition.name.in_language(language),
            "issuer": Text.of(found.issuer.definition.get("name")).in_language(language),
            "kind": definition.kind,
            "kind_words": words.kind_in_words(definition.kind),
            "colour": look.colour,
        }
    seen = repr((says, uploaded.sha256 if uploaded else ""))
    key = f"mooc_microcred.og.{hashlib.sha256(seen.encode()).hexdigest()[:40]}"
    content = cache.get(key)
    if content is None:
        content = open_graph_png(**says, badge=bytes(uploaded.content) if uploaded else None)
        cache.set(key, content, KEEP_PICTURE)
    answer = assets.hardened(HttpResponse(content, content_type="image/png"))
    return _for_programs(answer, found, owner_only)


@transaction.non_atomic_requests
@require_safe
def certificate(request: HttpRequest, uuid) -> HttpResponseBase:
    """Answer with the certificate as PDF: to anybody who sees the page, under the name that stands there.

    Its learner gets it with their name even where the page shows none, since they hand it out themselves.
    """
    found, owner_only = _seen(request, uuid)
    if found is None:
        return _unknown(request)
    language = wanted_language(request)
    with translation.override(language):
        if reading.state_of(found, reading.clock.now())[0] in (
            reading.REVOKED,
            reading.REPLACED,
            reading.UNTRUSTED,
        ):
            sentences = [_("No certificate is made of a credential that is not valid.")]
            return _notice(found, language, 409, _("There is no certificate"), sentences)
        owner = request.user.is_authenticated and request.user.id == found.learner_id
        holder = sharing_of(found).shown_name
        try:
            if owner and not holder:
                holder = names_of_learner(learner_id=found.learner_id)["verified"]
            content = certificates.certificate_pdf(found, language=language, holder=holder)
        except PdfUnavailable as error:
            return _notice(found, language, 503, _("There is no PDF here"), [error.message])
        except (PdfBusy, PlatformUnavailable) as error:
            says = getattr(error, "message", _("The platform cannot be read now. Try again later."))
            busy = _notice(found, language, 503, _("Please try again"), [says])
            busy["Retry-After"] = "30"
            return busy
    answer: HttpResponseBase = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="certificate-{found.uuid[:8]}.pdf"'
    answer = _for_programs(answer, found, owner_only or owner)
    answer["Vary"] = "Accept-Language, Cookie"
    return answer


def _notice(found: Any, language: str, status: int, heading: str, sentences: list[str]) -> HttpResponse:
    context = {
        "mood": "warn",
        "heading": heading,
        "sentences": sentences,
        "back": reading.page_path(found.uuid),
    }
    return page(rendered("message.html", context, language), language, status=status, shared=False)


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def sharing(request: HttpRequest, uuid) -> HttpResponseBase:
    """Let the learner decide who sees a credential and under which name; everybody else is told nothing."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), login_url=login_url())
    found = reading.find_credential(str(uuid))
    if found is None or found.learner_id != request.user.id or found.award.published_at is None:
        return _unknown(request)
    language = wanted_language(request)
    saved, problem = False, ""
    with translation.override(language):
        try:
            if request.method == "POST":
                share_credential(
                    learner_id=found.learner_id,
                    credential_uuid=found.uuid,
                    visibility=request.POST.get("visibility", ""),
                    name_choice=request.POST.get("name_choice", ""),
                )
                saved = True
                found = reading.find_credential(str(uuid))
        except MicrocredError as error:
            problem = error.message
        except PlatformUnavailable:
            problem = _("The platform cannot be read now. Try again later; nothing was changed.")
        try:
            names = names_of_learner(learner_id=found.learner_id)
        except PlatformUnavailable:
            names = {"none": ""}
        context = {
            "title": parse_definition(found.award.version).name.in_language(language),
            "page": reading.page_path(found.uuid),
            "sharing": sharing_of(found),
            "saved": saved,
            "problem": problem,
            "visibilities": _visibilities(),
            "names": [
                (choice, words.word(NAME_CHOICES, choice), name)
                for choice, name in names.items()
                if name or choice == "none"
            ],
        }
    content = rendered("sharing.html", context, language, request)
    return page(content, language, status=400 if problem else 200, shared=False)


def _visibilities() -> list[tuple[str, str, str]]:
    return [
        ("public", _("Everybody"), _("Search engines may list it, and your programmes may link to it.")),
        ("link", _("Whoever has the link"), _("You hand out the address; search engines do not list it.")),
        ("private", _("Only me"), _("Others are told that there is no such credential.")),
    ]


@require_safe
def issuer(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show an issuer and what it awards; a program gets its profile."""
    found = Issuer.objects.filter(code=code).first()
    if found is None:
        return _unknown(request)
    form, media_type = wanted_form(request)
    if form != HTML:
        return _public_json(credentials.issuer_profile(code=code), media_type)
    language = wanted_language(request)
    with translation.override(language):
        look = reading.look_of_issuer(found.pk)
        catalogue = achievements.current_catalogue()
        newest = filter(None, map(catalogue.newest, sorted(catalogue.versions)))
        offers = [
            {
                "title": one.name.in_language(language),
                "kind": words.kind_in_words(one.kind),
                "page": reverse(
                    "mooc_microcred:achievement-page", kwargs={"code": one.code, "number": one.number}
                ),
            }
            for one in newest
            if one.issuer == code
        ]
        context = {
            "issuer": reading.shown_issuer(found, look, language),
            "offers": offers[:500],
            "colours": assets.colours_url(look.colour),
            "did": reverse("mooc_microcred:issuer-did", kwargs={"code": code}),
            "listed": True,
        }
    return page(rendered("issuer.html", context, language), language, listed=True)


@require_safe
def achievement(request: HttpRequest, code: str, number: int) -> HttpResponseBase:
    """Show a version of an achievement; a program gets it as in the signed documents."""
    rows = AchievementVersion.objects.select_related("achievement", "issuer")
    found = rows.filter(achievement__code=code, number=number).exclude(state="draft").first()
    if found is None:
        return _unknown(request)
    form, media_type = wanted_form(request)
    if form != HTML:
        return _public_json(credentials.achievement_document(version_id=found.pk), media_type)
    language = wanted_language(request)
    definition = parse_definition(found)
    with translation.override(language):
        look = reading.look_of_issuer(found.issuer_id, definition.kind)
        title = definition.name.in_language(language)
        other = definition.name.in_language("en" if language == "th" else "th")
        context = {
            "title": title,
            "other_title": other if other != title else "",
            "kind": words.kind_in_words(definition.kind),
            "number": number,
            "retired": found.state == AchievementVersion.State.RETIRED,
            "description": Text.of(definition.raw.get("description")).in_language(language),
            "outcomes": words.outcomes_of(definition.raw, language),
            "assessment": words.assessment_of(definition, language),
            "worth": words.worth_of(definition, language),
            "endorsements": reading.endorsements_of(definition.achievement_id, language),
            "issuer": reading.shown_issuer(found.issuer, look, language),
            "badge": reading.pictured_badge(definition, look),
            "colours": assets.colours_url(look.colour),
            "listed": True,
        }
    return page(rendered("achievement.html", context, language), language, listed=True)


def _public_json(content: Mapping[str, Any], media_type: str) -> HttpResponse:
    shown = media_type if media_type in ("application/ld+json", "application/json") else "application/ld+json"
    answer = HttpResponse(json.dumps(content, ensure_ascii=False), content_type=shown)
    answer["Cache-Control"] = "public, max-age=300"
    answer["Access-Control-Allow-Origin"] = "*"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Vary"] = "Accept"
    return answer


@transaction.non_atomic_requests
@csrf_exempt
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def verify_page(request: HttpRequest) -> HttpResponseBase:
    """Let anybody check a credential. Nothing changes and nothing is kept, so no CSRF token is needed."""
    language = wanted_language(request)
    with translation.override(language):
        context: dict[str, Any] = {
            "api": reading.absolute(reverse("mooc_microcred:verify")),
            "listed": True,
        }
        status = 200
        if request.method == "POST":
            status, found = _checked(request)
            context |= found
        content = rendered("verify.html", context, language)
    return page(content, language, status=status, listed=True, shared=request.method != "POST")


def _checked(request: HttpRequest) -> tuple[int, dict[str, Any]]:
    """Return (status, context) of a posted credential."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > limits.MAX_UPLOAD_BYTES + 64 * 1024:
        return 413, {"problem": _("The file is too large.")}
    if not _may_verify(request):
        return 429, {"problem": _("Too many were verified from here at once. Try again in a minute.")}
    uploaded = request.FILES.get("file")
    given: bytes | str = uploaded.read() if uploaded else request.POST.get("credential", "").strip()
    if not given:
        return 400, {"problem": _("Paste a credential or choose a file.")}
    report = credentials.verify(
        credential=given,
        content_type=(uploaded.content_type or "") if uploaded else "",
        email=request.POST.get("email", "").strip()[:254],
    )
    return 200, _shown_report(report)


def _may_verify(request: HttpRequest) -> bool:
    from mooc_microcred.credentials.rest_api.verify import VerifyRate

    return VerifyRate().allow_request(request, None)


_MOODS = {Found.VALID: "good", Found.EXPIRED: "warn", Found.SUSPENDED: "warn", Found.UNKNOWN: "warn"}


def _shown_report(report: VerificationReport) -> dict[str, Any]:
    marks = {
        Outcome.PASSED: _("✓ passed"),
        Outcome.FAILED: _("✗ failed"),
        Outcome.WARNING: _("! note"),
        Outcome.UNKNOWN: _("? unknown"),
        Outcome.NOT_CHECKED: _("– not checked"),
    }
    summary = report.summary
    return {
        "report": report,
        "mood": _MOODS.get(report.verdict, "bad"),
        "checks": [
            {
                "mark": marks[check.outcome],
                "outcome": check.outcome.value,
                "title": check.title,
                "message": check.message,
            }
            for check in report.checks
        ],
        "valid_from": display_date(summary.valid_from) if summary.valid_from else "",
        "valid_until": display_date(summary.valid_until) if summary.valid_until else "",
        "inner": [
            {"title": one.summary.achievement or one.summary.name, "message": one.message}
            for one in report.inner
        ],
    }
