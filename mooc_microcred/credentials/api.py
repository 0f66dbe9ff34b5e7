"""The verbs of the credentials room; the only thing that other rooms call."""

from mooc_microcred.credentials.endorsing import endorse, list_endorsements, withdraw_endorsement
from mooc_microcred.credentials.issuing import (
    ISSUE,
    advance_walk,
    issue_credential,
    issue_due,
    queue_awards,
    restart_walk,
)
from mooc_microcred.credentials.keys import (
    create_key,
    did_document,
    list_keys,
    reencrypt_keys,
    revoke_key,
    rotate_key,
)
from mooc_microcred.credentials.learner_dids import did_challenge, did_of, forget_did, use_did
from mooc_microcred.credentials.library import (
    achievement_document,
    badge_class,
    credential_of_awards,
    credentials_of_learner,
    get_credential,
    hosted_assertion,
    hosted_assertion_text,
    issuer_profile,
    issuer_profile_2,
    public_url,
    public_urls,
    signed_bytes,
    signed_document,
    signed_jwt,
)
from mooc_microcred.credentials.pages.reading import badge_pictures
from mooc_microcred.credentials.pictures import dark_enough
from mooc_microcred.credentials.retirement import export_learner, forget_learner
from mooc_microcred.credentials.status.settling import settle_awards
from mooc_microcred.credentials.verification.engine import verify
from mooc_microcred.credentials.visibility import share_credential
from mooc_microcred.credentials.wallet import bundle as bundle_of_learner
from mooc_microcred.credentials.words import kind_in_words, plain_number
from mooc_microcred.credentials.words import outcomes_of as outcomes_in_words
from mooc_microcred.credentials.words import worth_of as worth_in_words

__all__ = [
    "ISSUE",
    "achievement_document",
    "advance_walk",
    "badge_class",
    "badge_pictures",
    "bundle_of_learner",
    "create_key",
    "credential_of_awards",
    "credentials_of_learner",
    "dark_enough",
    "did_challenge",
    "did_document",
    "did_of",
    "endorse",
    "export_learner",
    "forget_did",
    "forget_learner",
    "get_credential",
    "hosted_assertion",
    "hosted_assertion_text",
    "issue_credential",
    "issue_due",
    "issuer_profile",
    "issuer_profile_2",
    "kind_in_words",
    "list_endorsements",
    "list_keys",
    "outcomes_in_words",
    "plain_number",
    "public_url",
    "public_urls",
    "queue_awards",
    "reencrypt_keys",
    "restart_walk",
    "revoke_key",
    "rotate_key",
    "settle_awards",
    "share_credential",
    "signed_bytes",
    "signed_document",
    "signed_jwt",
    "use_did",
    "verify",
    "withdraw_endorsement",
    "worth_in_words",
]
