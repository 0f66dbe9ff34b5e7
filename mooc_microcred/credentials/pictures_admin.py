"""Admin of pictures and certificate templates: everything goes through the verbs that check and record."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mooc_microcred.achievements.models import Achievement, Issuer
from mooc_microcred.core.admin import OrganizationFilter, ReadOnlyAdmin, ScopedAdmin, actor_of
from mooc_microcred.core.errors import MicrocredError
from mooc_microcred.core.roles import Role
from mooc_microcred.credentials import pictures_of_issuers
from mooc_microcred.credentials.models import CertificateTemplate, Picture
from mooc_microcred.credentials.pages import reading
from mooc_microcred.credentials.pdf.certificates import specimen
from mooc_microcred.credentials.pdf.typesetting import PdfBusy, PdfUnavailable, typeset
from mooc_microcred.credentials.pictures_of_issuers import KINDS, MAX_NAME, MAX_SIGNATORIES, Purpose
from mooc_microcred.credentials.words import kind_in_words

_SEEN_BY = (Role.PROGRAMME_OFFICER, Role.AUDITOR)
_SIDES = (("th", gettext_lazy("Thai")), ("en", gettext_lazy("English")))


def _may_write(request: HttpRequest) -> bool:
    return actor_of(request).organizations(Role.PROGRAMME_OFFICER) != set()


class PictureForm(forms.ModelForm):
    """A file, and what it is for."""

    actor: Any = None
    purpose = forms.ChoiceField(choices=Purpose.choices, label=gettext_lazy("purpose"))
    file = forms.FileField(
        label=gettext_lazy("file"),
        help_text=gettext_lazy("PNG, JPEG or WebP, at most 2 MB. An SVG is exported as PNG first."),
    )

    class Meta:
        model = Picture
        fields = ("purpose", "issuer", "achievement")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        scopes = self.actor.organizations(Role.PROGRAMME_OFFICER) if self.actor else set()
        fields: dict[str, Any] = self.fields
        for name, model in (("issuer", Issuer), ("achievement", Achievement)):
            rows = model.objects.order_by("code")
            fields[name].queryset = rows if scopes is None else rows.filter(organization__in=scopes)
            fields[name].required = False

    def clean(self):
        """Take the picture by the verb, which checks it and the role, and records who did it."""
        super().clean()
        given: dict[str, Any] = self.cleaned_data
        if self.errors:
            return given
        issuer, achievement = given.get("issuer"), given.get("achievement")
        try:
            self.made = pictures_of_issuers.upload_picture(
                actor=self.actor,
                purpose=given["purpose"],
                content=given["file"].read(pictures_of_issuers.MAX_READ),
                issuer_code=issuer.code if issuer else "",
                achievement_code=achievement.code if achievement else "",
            )
        except MicrocredError as error:
            raise forms.ValidationError(error.message) from None
        return given

    def _post_clean(self):
        """Do nothing: the verb has checked and written."""

    def save(self, commit=True):
        """Return the row that the verb has made."""
        return Picture.objects.get(uuid=self.made.uuid)

    def save_m2m(self):
        """Do nothing: there is nothing of the kind."""


@admin.register(Picture)
class PictureAdmin(ReadOnlyAdmin):
    """Logos, badge pictures and signatures. They are added and never changed: signed documents name them."""

    seen_by = _SEEN_BY
    found_by = ("uuid", "issuer__code", "achievement__code")
    list_display = ("shown", "purpose", "issuer", "achievement", "live", "width", "height", "uploaded_at")
    list_filter = ("purpose", "live")
    list_select_related = ("issuer", "achievement")
    ordering = ("-pk",)
    fields = ("shown", "purpose", "issuer", "achievement", "uuid", "live", "width", "height", "uploaded_at")

    def in_scope(self, queryset, organizations):
        """Return the pictures of the organisations' issuers and achievements, without their bytes."""
        queryset = queryset.defer("content")
        if organizations is None:
            return queryset
        of_issuers = queryset.filter(issuer__organization__in=organizations)
        return of_issuers | queryset.filter(achievement__organization__in=organizations)

    def has_add_permission(self, request, obj=None):
        """Ask for Django's permission and a programme officer's role."""
        return request.user.has_perm("mooc_microcred.add_picture") and _may_write(request)

    def get_form(self, request, obj=None, change=False, **kwargs):
        """Give the form the person who uploads."""
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        return type("BoundPictureForm", (PictureForm,), {"actor": actor_of(request)})

    def get_fields(self, request, obj=None):
        """Return the form's fields, or what is to be seen."""
        return self.fields if obj else ("purpose", "issuer", "achievement", "file")

    def get_readonly_fields(self, request, obj=None):
        """Return what is to be seen."""
        return self.fields if obj else ()

    def save_model(self, request, obj, form, change):
        """Do nothing: the verb has written."""

    @admin.display(description=gettext_lazy("picture"))
    def shown(self, picture):
        """Return the picture."""
        address = reverse("mooc_microcred:picture", kwargs={"uuid": picture.uuid})
        return format_html('<img src="{}" alt="" height="64">', address)


class _Label:
    """A label put together when it is shown, in the reader's language."""

    def __init__(self, *parts: Any):
        self.parts = parts

    def __str__(self) -> str:
        return " ".join(map(str, self.parts)).capitalize()


def _signatory_fields() -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {}
    label_of: Any = _Label
    for number in range(1, MAX_SIGNATORIES + 1):
        for what, label in (("name", gettext_lazy("name")), ("role", gettext_lazy("office"))):
            for side, language in _SIDES:
                found[f"{what}_{side}_{number}"] = forms.CharField(
                    label=label_of(label, number, language),
                    max_length=MAX_NAME,
                    required=False,
                )
        found[f"signature_{number}"] = forms.ChoiceField(
            label=label_of(gettext_lazy("signature"), number), required=False
        )
    return found


class TemplateForm(forms.ModelForm):
    """Colour and signatories."""

    actor: Any = None
    kind = forms.ChoiceField(required=False, label=gettext_lazy("kind"))
    colour = forms.CharField(required=False, max_length=7, label=gettext_lazy("colour"), help_text="#1b4f8a")
    locals().update(_signatory_fields())

    class Meta:
        model = CertificateTemplate
        fields = ("issuer", "kind")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        every = _("every kind that has no template of its own")
        fields["kind"].choices = [(one, kind_in_words(one) if one else every) for one in KINDS]
        scopes = self.actor.organizations(Role.PROGRAMME_OFFICER) if self.actor else set()
        rows = Issuer.objects.order_by("code")
        fields["issuer"].queryset = rows if scopes is None else rows.filter(organization__in=scopes)
        settings = (self.instance.settings or {}) if self.instance.pk else {}
        self.fields["colour"].initial = settings.get("colour", "")
        signatures = self._signatures()
        for number in range(1, MAX_SIGNATORIES + 1):
            fields[f"signature_{number}"].choices = signatures
        for number, one in enumerate(settings.get("signatories", ()), start=1):
            for side, _language in _SIDES:
                self.fields[f"name_{side}_{number}"].initial = one.get("name", {}).get(side, "")
                self.fields[f"role_{side}_{number}"].initial = one.get("role", {}).get(side, "")
            self.fields[f"signature_{number}"].initial = one.get("signature", "")

    def _signatures(self) -> list[tuple[str, str]]:
        rows = Picture.objects.filter(purpose=Purpose.SIGNATURE).select_related("issuer")
        if self.instance.pk:
            rows = rows.filter(issuer_id=self.instance.issuer_id)
        issuer: Any = self.fields["issuer"]
        rows = rows.filter(issuer__in=issuer.queryset)
        return [
            ("", "---"),
            *((row.uuid, f"{row.issuer} {row.uuid[:8]}") for row in rows.defer("content")[:200]),
        ]

    def clean(self):
        """Set the template by the verb."""
        super().clean()
        given: dict[str, Any] = self.cleaned_data
        if self.errors:
            return given
        signatories = []
        for number in range(1, MAX_SIGNATORIES + 1):
            one = {
                what: {side: given.get(f"{what}_{side}_{number}", "") for side, _label in _SIDES}
                for what in ("name", "role")
            }
            if any(one["name"].values()) or given.get(f"signature_{number}"):
                signatories.append({**one, "signature": given.get(f"signature_{number}", "")})
        try:
            pictures_of_issuers.set_template(
                actor=self.actor,
                issuer_code=given["issuer"].code,
                kind=given.get("kind", ""),
                colour=given.get("colour", ""),
                signatories=signatories,
            )
        except MicrocredError as error:
            raise forms.ValidationError(error.message) from None
        return given

    def _post_clean(self):
        """Do nothing: the verb has checked and written; a second template of a kind replaces the first."""

    def save(self, commit=True):
        """Return the row that the verb has written."""
        given = self.cleaned_data
        return CertificateTemplate.objects.get(issuer=given["issuer"], kind=given.get("kind", ""))

    def save_m2m(self):
        """Do nothing: there is nothing of the kind."""


@admin.register(CertificateTemplate)
class CertificateTemplateAdmin(ScopedAdmin):
    """How the certificates of an issuer look, with a preview."""

    seen_by = _SEEN_BY
    organization_path = "issuer__organization"
    found_by = ("issuer__code",)
    list_display = ("issuer", "kind", "changed_at", "preview")
    list_filter = (OrganizationFilter, "kind")
    list_select_related = ("issuer",)
    ordering = ("issuer__code", "kind")

    def has_add_permission(self, request):
        """Ask for Django's permission and a programme officer's role."""
        return super().has_add_permission(request) and _may_write(request)

    def has_change_permission(self, request, obj=None):
        """Ask for Django's permission and a programme officer's role for the issuer's organisation."""
        if not super().has_change_permission(request, obj):
            return False
        if obj is None or obj.pk is None:
            return _may_write(request)
        return actor_of(request).has(Role.PROGRAMME_OFFICER, obj.issuer.organization)

    def has_delete_permission(self, request, obj=None):
        """Nobody deletes: an empty template is ours."""
        return False

    def _writes(self, request, obj) -> bool:
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    def get_form(self, request, obj=None, change=False, **kwargs):
        """Give the form the person who writes."""
        if not self._writes(request, obj):
            return super().get_form(request, obj, change, **{**kwargs, "form": forms.ModelForm, "fields": []})
        return type("BoundTemplateForm", (TemplateForm,), {"actor": actor_of(request)})

    def get_fields(self, request, obj=None):
        """Return the form's fields, or what is to be read."""
        if not self._writes(request, obj):
            return ("issuer", "kind", "settings", "preview")
        return (*(("preview",) if obj else ()), *TemplateForm.base_fields)

    def get_readonly_fields(self, request, obj=None):
        """Return what is to be read."""
        if not self._writes(request, obj):
            return ("issuer", "kind", "settings", "preview")
        return ("preview",)

    def save_model(self, request, obj, form, change):
        """Do nothing: the verb has written."""

    @admin.display(description=gettext_lazy("preview"))
    def preview(self, template):
        """Return links to an invented certificate in each language."""
        if template.pk is None:
            return ""
        links = [
            (reverse("admin:mooc_microcred_certificatetemplate_preview", args=[template.pk, side]), language)
            for side, language in _SIDES
        ]
        return format_html_join(" · ", '<a href="{}">{} (PDF)</a>', links)

    def get_urls(self):
        """Add the address of the preview."""
        return [
            path(
                "<int:pk>/preview/<str:language>/",
                self.admin_site.admin_view(self.preview_view),
                name="mooc_microcred_certificatetemplate_preview",
            ),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, pk: int, language: str) -> HttpResponse:
        """Answer with an invented certificate under the template, or say why there is none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        template = self.get_queryset(request).filter(pk=pk).first()
        if template is None or language not in ("th", "en"):
            raise Http404
        look = reading.look_of_issuer(template.issuer_id, template.kind)
        with translation.override(language):
            data = specimen(issuer=template.issuer, kind=template.kind, language=language, look=look)
            try:
                content = typeset(data)
            except (PdfUnavailable, PdfBusy) as error:
                return HttpResponse(str(error.message), status=503, content_type="text/plain; charset=utf-8")
        answer = HttpResponse(content, content_type="application/pdf")
        answer["Content-Disposition"] = 'inline; filename="specimen.pdf"'
        answer["Cache-Control"] = "private, no-store"
        return answer
