"""Checking a credential of anybody: each check by name, then one verdict. See ADR 0018 for what is trusted.

The document says nothing that is believed before its signature is right and the key is the
issuer's: status lists are looked at only then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.core import clock
from mooc_microcred.credentials.verification import limits, own, statuses
from mooc_microcred.credentials.verification.dates import instant
from mooc_microcred.credentials.verification.jsonld import (
    Budget,
    Canonicalizer,
    NotCanonical,
    refuse_hidden_parts,
)
from mooc_microcred.credentials.verification.keys import (
    BadKey,
    from_multibase,
    key_of_jwk,
    same_key,
    signature_is_right,
)
from mooc_microcred.credentials.verification.network import Network, NotFetched
from mooc_microcred.credentials.verification.reading import JSON_LD, JWT, Unreadable, read
from mooc_microcred.credentials.verification.report import (
    Check,
    CheckName,
    Outcome,
    Summary,
    Verdict,
    VerificationReport,
)
from mooc_microcred.credentials.verification.required import (
    CLR,
    V1,
    V2,
    id_of,
    listed,
    missing_of_credential,
    missing_of_profile,
    types_of,
)
from mooc_microcred.credentials.verification.resolution import (
    ResolvedKey,
    Unresolved,
    keys_of_controller,
    resolve_method,
)
from mooc_microcred.credentials.verification.subject import belongs_to
from mooc_microcred.credentials.verification.tokens import Token, claim_instant, differing_claims, read_token

PROOF_TYPE = "DataIntegrityProof"
CRYPTOSUITE = "eddsa-rdfc-2022"
_OPEN_BADGES_2 = "https://w3id.org/openbadges/v2"
_ENVELOPED = "EnvelopedVerifiableCredential"
_ENVELOPE = ("data:application/vc+jwt,", "data:application/vc+ld+jwt,", "data:application/jwt,")

# The checks that decide whether anything in the credential is believed.
_AUTHENTICITY = (
    CheckName.FORMAT,
    CheckName.CONTEXT,
    CheckName.TERMS,
    CheckName.SIGNATURE,
    CheckName.ISSUER_KEY,
    CheckName.KEY_STATUS,
)


def verify(
    *,
    credential: bytes | str,
    content_type: str = "",
    now: datetime | None = None,
    email: str = "",
    network: Network | None = None,
) -> VerificationReport:
    """Check an Open Badges 3.0, CLR 2.0 or other W3C verifiable credential. Stores and logs nothing.

    Takes JSON-LD with Data Integrity proofs ``eddsa-rdfc-2022`` (one or several), VC-JWT (EdDSA,
    RS256, ES256), and PNG or SVG pictures with either in them. Never raises for what it is given.

    Args:
        credential: the bytes of a file, or pasted text.
        content_type: media type as the sender gives it, if known.
        now: the instant at which it is checked (UTC); default the present.
        email: an address to compare the subject with; empty where nobody is named.
        network: what may be fetched; default the hosts of VERIFY_ALLOWED_HOSTS.
    """
    run = _Run(now=now or clock.now(), email=email, network=network or Network())
    try:
        presented = read(credential, content_type)
    except Unreadable as error:
        return _Verification(run, 0).unreadable(error)
    if presented.document is None:
        return _Verification(run, 0).of_token(presented.token)
    return _Verification(run, 0).of_document(presented.document)


class _Run:
    """What all credentials in one document share: time, network, budget."""

    def __init__(self, *, now: datetime, email: str, network: Network):
        self.now = now
        self.email = email
        self.network = network
        self.budget = Budget()
        self.canonicalizer = Canonicalizer(
            bundled=own.bundled_context, fetch=self._context, budget=self.budget
        )
        self.inner = 0

    def _context(self, address: str) -> Mapping[str, Any] | None:
        if not self.network.allows(address):
            return None
        try:
            found = self.network.fetch_json(address)
        except NotFetched:
            return None
        return found if isinstance(found, Mapping) and "@context" in found else None


@dataclass(slots=True)
class _Signer:
    """The key that a right signature was made with, and when it says it was."""

    key: ResolvedKey
    created: datetime | None


class _Verification:
    """The checks of one credential, at one level of nesting."""

    def __init__(self, run: _Run, level: int):
        self._run = run
        self._level = level
        self._checks: dict[CheckName, Check] = {}
        self._inner: list[VerificationReport] = []

    # --- ways in ---

    def unreadable(self, error: Unreadable) -> VerificationReport:
        """Return the report of something that is no credential."""
        outcome = Outcome.UNKNOWN if error.code in ("address", "open_badges_2") else Outcome.FAILED
        self._tell(CheckName.FORMAT, outcome, error.message, error.code)
        return self._report("", None)

    def of_document(self, document: Mapping[str, Any]) -> VerificationReport:
        """Return the report of a credential in JSON-LD."""
        if _ENVELOPED in types_of(document):
            return self.of_token(_token_in(document))
        contexts = [one for one in listed(document.get("@context")) if isinstance(one, str)]
        if _OPEN_BADGES_2 in contexts:
            return self.unreadable(
                Unreadable(
                    _(
                        "This is an Open Badge 2.0. It carries no signature: it is right if its address at "
                        "the issuer shows the same."
                    ),
                    "open_badges_2",
                )
            )
        if contexts[:1] not in ([V2], [V1]) or "VerifiablePresentation" in types_of(document):
            self._tell(
                CheckName.FORMAT,
                Outcome.FAILED,
                _("This is JSON, but not a verifiable credential."),
                "not_a_credential",
            )
            return self._report(JSON_LD, document)
        self._tell(CheckName.FORMAT, Outcome.PASSED, _("It is a verifiable credential in JSON-LD."))
        signer = self._check_proofs(document)
        self._check_required(document, [])
        self._check_content(document, signer, instant(document.get("validUntil")))
        return self._report(JSON_LD, document, signer)

    def of_token(self, text: str) -> VerificationReport:
        """Return the report of a credential as a JWT."""
        try:
            token = read_token(text)
        except Unreadable as error:
            return self.unreadable(error)
        document = token.document
        self._tell(CheckName.FORMAT, Outcome.PASSED, _("It is a verifiable credential as a JWT."))
        self._tell(CheckName.TERMS, Outcome.PASSED, _("The signature of a JWT covers all of it."))
        self._check_contexts_of_token(document)
        signer = self._check_token(token)
        self._check_required(document, differing_claims(token))
        until = [one for one in (instant(document.get("validUntil")), claim_instant(token, "exp")) if one]
        self._check_content(document, signer, min(until, default=None))
        return self._report(JWT, document, signer)

    # --- the signature ---

    def _check_proofs(self, document: Mapping[str, Any]) -> _Signer | None:
        """Check all proofs; every one must be right, and one at least the issuer's."""
        proofs = listed(document.get("proof"))
        try:
            self._run.canonicalizer.check_contexts(document)
            self._tell(CheckName.CONTEXT, Outcome.PASSED, _("All vocabularies that it uses are known."))
            if not proofs:
                self._tell(CheckName.SIGNATURE, Outcome.FAILED, _("It carries no signature."), "unsigned")
                return None
            if len(proofs) > limits.MAX_PROOFS:
                self._tell(
                    CheckName.SIGNATURE,
                    Outcome.UNKNOWN,
                    _("It carries too many signatures: at most %(limit)d are checked.")
                    % {"limit": limits.MAX_PROOFS},
                    "too_many",
                )
                return None
            unsigned = {name: value for name, value in document.items() if name != "proof"}
            refuse_hidden_parts(unsigned)
            hashed = _sha256(self._run.canonicalizer.canonical_form(unsigned))
            signers = [self._check_proof(proof, document["@context"], hashed) for proof in proofs]
        except NotCanonical as error:
            outcome = Outcome.UNKNOWN if error.unknown else Outcome.FAILED
            self._tell(CheckName(error.check), outcome, error.message, error.code)
            return None
        self._tell(CheckName.TERMS, Outcome.PASSED, _("Every part of it is covered by the signature."))
        if None in signers:
            return None
        right = [one for one in signers if one is not None]
        self._tell(CheckName.SIGNATURE, Outcome.PASSED, _("Nothing in it was changed since it was signed."))
        issuer = id_of(document.get("issuer"))
        return next((one for one in right if one.key.controller == issuer), right[0])

    def _check_proof(self, proof: Any, context: Any, hashed: bytes) -> _Signer | None:
        """Return who made a right proof; otherwise say what is wrong with it."""
        if not isinstance(proof, Mapping):
            return self._wrong("proof_malformed", _("Its signature is malformed."))
        if (proof.get("type"), proof.get("cryptosuite")) != (
            PROOF_TYPE,
            CRYPTOSUITE,
        ) or "previousProof" in proof:
            return self._cannot(
                "suite_unsupported",
                _("It is signed by a method that cannot be checked here: %(method)s")
                % {"method": str(proof.get("cryptosuite") or proof.get("type"))[:60]},
            )
        if proof.get("proofPurpose") != "assertionMethod":
            return self._wrong("purpose_wrong", _("It was not signed in order to issue a credential."))
        for name in ("created", "expires"):
            if name in proof and instant(proof[name]) is None:
                return self._wrong("proof_malformed", _("Its signature is malformed."))
        expires = instant(proof.get("expires"))
        if expires is not None and expires <= self._run.now:
            return self._wrong("proof_expired", _("Its signature has expired."))
        method = id_of(proof.get("verificationMethod"))
        options = {name: value for name, value in proof.items() if name != "proofValue"}
        form = self._run.canonicalizer.canonical_form({"@context": context, **options})
        try:
            signature = from_multibase(proof.get("proofValue", ""))
        except BadKey:
            return self._wrong("proof_malformed", _("Its signature is malformed."))
        key = self._resolved(method)
        if key is None:
            return None
        if not signature_is_right(key.key, "EdDSA", _sha256(form) + hashed, signature):
            return self._wrong(
                "signature_wrong",
                _("It was changed after it was signed, or was not signed by this issuer."),
            )
        return _Signer(key, instant(proof.get("created")))

    def _check_token(self, token: Token) -> _Signer | None:
        if not token.algorithm:
            name = str(token.header.get("alg"))
            if name.lower() == "none":
                self._wrong("unsigned", _("It carries no signature."))
            else:
                self._cannot(
                    "suite_unsupported",
                    _("It is signed by a method that cannot be checked here: %(method)s")
                    % {"method": name[:60]},
                )
            return None
        key = self._key_of_token(token)
        if key is None:
            return None
        if not signature_is_right(key.key, token.algorithm, token.signed, token.signature):
            return self._wrong(
                "signature_wrong",
                _("It was changed after it was signed, or was not signed by this issuer."),
            )
        self._tell(CheckName.SIGNATURE, Outcome.PASSED, _("Nothing in it was changed since it was signed."))
        return _Signer(key, claim_instant(token, "iat"))

    def _key_of_token(self, token: Token) -> ResolvedKey | None:
        """Return the key that ``kid`` names, or the one in ``jwk`` if the issuer publishes it too."""
        issuer = str(token.payload.get("iss") or id_of(token.document.get("issuer")))
        name = token.header.get("kid")
        if isinstance(name, str) and name:
            method = name if ":" in name else f"{issuer}#{name.removeprefix('#')}"
            return self._resolved(method)
        if "jwk" not in token.header:
            return self._cannot("key_unnamed", _("The JWT does not say by which key it was signed."))
        try:
            key = key_of_jwk(token.header["jwk"])
        except BadKey:
            return self._cannot("key_unsupported", _("The issuer's key is of a kind that is not supported."))
        try:
            known = keys_of_controller(issuer, network=self._run.network)
        except Unresolved as error:
            self._tell(CheckName.ISSUER_KEY, Outcome.UNKNOWN, error.message, error.code)
            return ResolvedKey(key=key, method="", controller="")
        found = next((one for one in known if same_key(one.key, key)), None)
        if found is None:
            self._tell(
                CheckName.ISSUER_KEY,
                Outcome.FAILED,
                _("The key that it brings along is none of the issuer's."),
                "key_foreign",
            )
        return found or ResolvedKey(key=key, method="", controller="")

    def _resolved(self, method: str) -> ResolvedKey | None:
        if not method:
            self._wrong("key_unnamed", _("The signature does not say by which key it was made."))
            return None
        try:
            return resolve_method(method, network=self._run.network)
        except Unresolved as error:
            outcome = Outcome.UNKNOWN if error.unknown else Outcome.FAILED
            self._tell(CheckName.ISSUER_KEY, outcome, error.message, error.code)
            self._tell(
                CheckName.SIGNATURE,
                Outcome.UNKNOWN,
                _("The signature cannot be checked without the issuer's key."),
                "no_key",
            )
            return None

    def _check_key(self, document: Mapping[str, Any], signer: _Signer) -> None:
        key, issuer = signer.key, id_of(document.get("issuer"))
        if CheckName.ISSUER_KEY not in self._checks:
            if key.controller != issuer or not key.for_assertions:
                self._tell(
                    CheckName.ISSUER_KEY,
                    Outcome.FAILED,
                    _("It was signed by a key that is not the issuer's."),
                    "key_foreign",
                )
            else:
                self._tell(CheckName.ISSUER_KEY, Outcome.PASSED, _("The key is one of the issuer's."))
        if key.revoked_from is not None and key.revoked_from <= self._run.now:
            if key.own and own.on_record(document, before=key.revoked_from):
                self._tell(
                    CheckName.KEY_STATUS,
                    Outcome.WARNING,
                    _("The issuer revoked the key later; our records show that it was signed before."),
                    "key_revoked_later",
                )
            else:
                self._tell(
                    CheckName.KEY_STATUS,
                    Outcome.FAILED,
                    _("The issuer has revoked the key: nothing that it signed is to be trusted."),
                    "key_revoked",
                )
        elif key.retired_at is not None and (signer.created or self._run.now) > key.retired_at:
            self._tell(
                CheckName.KEY_STATUS,
                Outcome.FAILED,
                _("It was signed after the issuer had put the key out of use."),
                "key_retired",
            )
        else:
            self._tell(CheckName.KEY_STATUS, Outcome.PASSED, _("The key was in use."))

    # --- the content ---

    def _check_contexts_of_token(self, document: Mapping[str, Any]) -> None:
        try:
            self._run.canonicalizer.check_contexts(document)
        except NotCanonical as error:
            # The signature does not depend on them: only what the words mean is not known.
            self._tell(CheckName.CONTEXT, Outcome.WARNING, error.message, error.code)
        else:
            self._tell(CheckName.CONTEXT, Outcome.PASSED, _("All vocabularies that it uses are known."))

    def _check_required(self, document: Mapping[str, Any], differing: list[str]) -> None:
        missing = missing_of_credential(document)
        if missing or differing:
            self._tell(
                CheckName.REQUIRED,
                Outcome.FAILED,
                _("Missing or wrong: %(names)s") % {"names": ", ".join([*missing, *differing])[:300]},
                "missing" if missing else "claims_differ",
            )
            return
        lacking = missing_of_profile(document)
        if lacking:
            self._tell(
                CheckName.REQUIRED,
                Outcome.WARNING,
                _("Open Badges or CLR require what is missing here: %(names)s")
                % {"names": ", ".join(lacking)[:300]},
                "profile",
            )
        else:
            self._tell(CheckName.REQUIRED, Outcome.PASSED, _("All that the standard requires is there."))

    def _check_content(
        self, document: Mapping[str, Any], signer: _Signer | None, until: datetime | None
    ) -> None:
        if signer is not None:
            self._check_key(document, signer)
        self._check_validity(document, until)
        self._check_statuses(document)
        if self._level == 0:
            self._check_subject(document)
        self._check_inner(document)

    def _check_validity(self, document: Mapping[str, Any], until: datetime | None) -> None:
        begins = instant(document.get("validFrom") or document.get("issuanceDate"))
        until = until or instant(document.get("expirationDate"))
        if begins is not None and begins > self._run.now + timedelta(seconds=limits.CLOCK_SKEW):
            self._tell(
                CheckName.VALIDITY,
                Outcome.FAILED,
                _("It is valid only from %(instant)s on.") % {"instant": begins.isoformat()},
                "not_yet_valid",
            )
        elif until is not None and until <= self._run.now:
            self._tell(
                CheckName.VALIDITY,
                Outcome.FAILED,
                _("It was valid until %(instant)s.") % {"instant": until.isoformat()},
                "expired",
            )
        elif until is None:
            self._tell(CheckName.VALIDITY, Outcome.PASSED, _("It is valid without an end."))
        else:
            self._tell(
                CheckName.VALIDITY,
                Outcome.PASSED,
                _("It is valid until %(instant)s.") % {"instant": until.isoformat()},
            )

    def _check_statuses(self, document: Mapping[str, Any]) -> None:
        names = (CheckName.REVOCATION, CheckName.SUSPENSION)
        if not self._authentic():
            return
        for name, found in zip(names, statuses.read_statuses(document, self._read_list), strict=True):
            self._tell(name, found.outcome, found.message, found.code)

    def _read_list(self, address: str) -> Mapping[str, Any] | None:
        """Return a status list or revocation list that is fetched; None where it may not be.

        Raises:
            NotFetched: the host is allowed but does not answer, or its list is not to be trusted.
        """
        if not self._run.network.allows(address):
            return None
        found = self._run.network.fetch_json(address)
        if not isinstance(found, Mapping):
            raise NotFetched("not_json")
        if "BitstringStatusListCredential" in types_of(found):
            checked = _Verification(self._run, limits.MAX_INNER_LEVELS)
            if checked.of_document(found).verdict is not Verdict.VALID:
                raise NotFetched("list_invalid")
        return found

    def _check_subject(self, document: Mapping[str, Any]) -> None:
        if not self._run.email:
            return
        belongs = belongs_to(document, self._run.email)
        if belongs is None:
            self._tell(
                CheckName.SUBJECT,
                Outcome.UNKNOWN,
                _("It does not name its holder by an e-mail address."),
                "no_identifier",
            )
        elif belongs:
            self._tell(CheckName.SUBJECT, Outcome.PASSED, _("It was issued to this e-mail address."))
        else:
            self._tell(
                CheckName.SUBJECT,
                Outcome.FAILED,
                _("It was not issued to this e-mail address."),
                "somebody_else",
            )

    def _check_inner(self, document: Mapping[str, Any]) -> None:
        """Check the credentials that a CLR stands on, and endorsements wherever they are."""
        found = list(_inner_credentials(document))
        if not found:
            return
        if self._level >= limits.MAX_INNER_LEVELS or self._run.inner + len(found) > limits.MAX_INNER:
            self._tell(
                CheckName.INNER,
                Outcome.UNKNOWN,
                _("It holds too many credentials, or in too many levels: at most %(limit)d in %(levels)d.")
                % {"limit": limits.MAX_INNER, "levels": limits.MAX_INNER_LEVELS},
                "too_many",
            )
            return
        self._run.inner += len(found)
        forged = doubtful = 0
        for stands_on, one in found:
            below = _Verification(self._run, self._level + 1)
            report = below.of_token(one) if isinstance(one, str) else below.of_document(one)
            self._inner.append(report)
            if report.verdict is Verdict.INVALID and stands_on:
                forged += 1
            elif report.verdict is not Verdict.VALID:
                doubtful += 1
        counts = {"bad": forged or doubtful, "all": len(found)}
        if forged:
            message = _("%(bad)d of the %(all)d credentials in it are not valid.") % counts
            self._tell(CheckName.INNER, Outcome.FAILED, message, "inner_invalid")
        elif doubtful:
            message = (
                _("%(bad)d of the %(all)d credentials and endorsements in it are not in force.") % counts
            )
            self._tell(CheckName.INNER, Outcome.WARNING, message, "inner_doubtful")
        else:
            message = _("All %(all)d credentials and endorsements in it are valid.") % counts
            self._tell(CheckName.INNER, Outcome.PASSED, message)

    # --- what comes out ---

    def _tell(self, name: CheckName, outcome: Outcome, message: str, code: str = "") -> None:
        self._checks[name] = Check(name, outcome, message, code)

    def _wrong(self, code: str, message: str) -> Any:
        """Say that the signature is wrong; there is nobody to return who made it."""
        self._tell(CheckName.SIGNATURE, Outcome.FAILED, message, code)

    def _cannot(self, code: str, message: str) -> Any:
        """Say that the signature cannot be checked; there is nobody to return who made it."""
        self._tell(CheckName.SIGNATURE, Outcome.UNKNOWN, message, code)

    def _authentic(self) -> bool:
        return all(
            name in self._checks and self._checks[name].outcome in (Outcome.PASSED, Outcome.WARNING)
            for name in _AUTHENTICITY
        )

    def _report(
        self, form: str, document: Mapping[str, Any] | None, signer: _Signer | None = None
    ) -> VerificationReport:
        not_checked = _("Not checked.")
        checks = tuple(
            self._checks.get(name) or Check(name, Outcome.NOT_CHECKED, not_checked) for name in CheckName
        )
        report = VerificationReport(
            verdict=Verdict.UNKNOWN,
            checks=checks,
            format=form,
            summary=_summary_of(document) if document else Summary(),
            document=document,
            inner=tuple(self._inner),
            our_own=bool(signer and signer.key.own),
        )
        return replace(report, verdict=_verdict_of(report))


_FATAL = (*_AUTHENTICITY, CheckName.REQUIRED, CheckName.SUBJECT, CheckName.INNER)


def _verdict_of(report: VerificationReport) -> Verdict:
    """Return the verdict: forged before not checkable, that before status, status before time."""
    if any(report.check(name).outcome is Outcome.FAILED for name in _FATAL):
        return Verdict.INVALID
    if any(report.check(name).outcome not in (Outcome.PASSED, Outcome.WARNING) for name in _AUTHENTICITY):
        return Verdict.UNKNOWN
    if report.check(CheckName.REVOCATION).outcome is Outcome.FAILED:
        return Verdict.REVOKED
    if report.check(CheckName.SUSPENSION).outcome is Outcome.FAILED:
        return Verdict.SUSPENDED
    validity = report.check(CheckName.VALIDITY)
    if validity.outcome is Outcome.FAILED:
        return Verdict.EXPIRED if validity.code == "expired" else Verdict.NOT_YET_VALID
    if any(
        report.check(name).outcome is Outcome.UNKNOWN
        for name in (CheckName.REVOCATION, CheckName.SUSPENSION, CheckName.SUBJECT)
    ):
        return Verdict.UNKNOWN
    return Verdict.VALID


def _inner_credentials(document: Mapping[str, Any]) -> Iterator[tuple[bool, Mapping[str, Any] | str]]:
    """Return the nearest credentials inside, with whether the outer one stands on them.

    Endorsements are claims of others: a bad one is told and does not make the endorsed one bad.
    """
    stands_on = CLR in types_of(document)
    waiting: list[tuple[str, Any]] = list(document.items())
    while waiting:
        name, value = waiting.pop(0)
        if name == "verifiableCredential":
            for one in listed(value):
                if isinstance(one, Mapping | str):
                    yield stands_on, one
        elif name in ("endorsement", "endorsementJwt"):
            for one in listed(value):
                if isinstance(one, Mapping | str):
                    yield False, one
        elif isinstance(value, Mapping):
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((name, one) for one in value)


def _token_in(document: Mapping[str, Any]) -> str:
    address = id_of(document)
    return next((address.removeprefix(one) for one in _ENVELOPE if address.startswith(one)), "")


def _summary_of(document: Mapping[str, Any]) -> Summary:
    issuer = document.get("issuer")
    subjects = [one for one in listed(document.get("credentialSubject")) if isinstance(one, Mapping)]
    achievement = subjects[0].get("achievement") if subjects else None
    return Summary(
        id=id_of(document),
        types=types_of(document),
        name=_words(document.get("name")),
        issuer_id=id_of(issuer),
        issuer_name=_words(issuer.get("name")) if isinstance(issuer, Mapping) else "",
        achievement=_words(achievement.get("name")) if isinstance(achievement, Mapping) else "",
        subjects=tuple(id_of(one) for one in subjects if id_of(one)),
        valid_from=instant(document.get("validFrom") or document.get("issuanceDate")),
        valid_until=instant(document.get("validUntil") or document.get("expirationDate")),
    )


def _words(value: Any) -> str:
    """Return a text that may be given with its language, or in several."""
    texts = []
    for one in listed(value):
        text = one.get("@value") if isinstance(one, Mapping) else one
        if isinstance(text, str):
            texts.append(text)
    return " / ".join(texts)


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
