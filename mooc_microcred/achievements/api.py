"""The verbs of the achievements room; the only thing that other rooms call."""

from mooc_microcred.achievements.awards import (
    allow_again,
    award_data,
    award_history,
    awards_of_staff,
    count_awards_of_run,
    get_award,
    get_awards,
    list_awards,
    reinstate_award,
    revoke_award,
    suspend_award,
)
from mooc_microcred.achievements.backfill import TOPIC as BACKFILLED
from mooc_microcred.achievements.backfill import (
    BackfillProgress,
    advance_backfill,
    count_waiting_messages,
    is_backfilled,
    preview_backfill,
    runs_to_backfill,
    start_backfill,
)
from mooc_microcred.achievements.catalogue import (
    Catalogue,
    catalogue_token,
    current_catalogue,
    definitions_of,
    get_definition,
    issuer_names,
    leaves_of,
)
from mooc_microcred.achievements.catalogue_checks import advise_catalogue, check_catalogue
from mooc_microcred.achievements.catalogue_file import export_catalogue, load_catalogue
from mooc_microcred.achievements.definitions import (
    activate_version,
    adopt_run,
    create_version,
    decline_run,
    offer_run,
    offers_of_run,
    retire_version,
    save_issuer,
)
from mooc_microcred.achievements.evaluation import evaluate_due
from mooc_microcred.achievements.feeds import (
    advance_feeds,
    concerned_by_everything,
    count_open_feeds,
    next_learners,
    start_feed,
    start_feed_of_everything,
)
from mooc_microcred.achievements.kick import kick_evaluation_after_commit
from mooc_microcred.achievements.offers import count_open_offers, run_offers_of_staff
from mooc_microcred.achievements.progress import (
    preview_changes,
    read_holdings,
    read_progress,
)
from mooc_microcred.achievements.reasons import describe as describe_reason
from mooc_microcred.achievements.refusals import advise as advise_on_refusal
from mooc_microcred.achievements.refusals import describe as describe_refusal
from mooc_microcred.achievements.requested import (
    certificate_requests_of_staff,
    count_certificate_requests,
    refusals_of_learner,
)
from mooc_microcred.achievements.requests import (
    append_requests,
    request_evaluation,
)

__all__ = [
    "BACKFILLED",
    "BackfillProgress",
    "Catalogue",
    "activate_version",
    "advance_backfill",
    "adopt_run",
    "advance_feeds",
    "advise_catalogue",
    "advise_on_refusal",
    "allow_again",
    "append_requests",
    "award_data",
    "award_history",
    "awards_of_staff",
    "certificate_requests_of_staff",
    "check_catalogue",
    "concerned_by_everything",
    "count_awards_of_run",
    "count_certificate_requests",
    "count_open_feeds",
    "count_open_offers",
    "count_waiting_messages",
    "create_version",
    "catalogue_token",
    "current_catalogue",
    "decline_run",
    "definitions_of",
    "describe_reason",
    "describe_refusal",
    "evaluate_due",
    "export_catalogue",
    "get_award",
    "get_awards",
    "get_definition",
    "is_backfilled",
    "issuer_names",
    "kick_evaluation_after_commit",
    "leaves_of",
    "list_awards",
    "load_catalogue",
    "next_learners",
    "offer_run",
    "offers_of_run",
    "preview_backfill",
    "preview_changes",
    "read_holdings",
    "read_progress",
    "refusals_of_learner",
    "reinstate_award",
    "request_evaluation",
    "retire_version",
    "revoke_award",
    "save_issuer",
    "run_offers_of_staff",
    "runs_to_backfill",
    "start_backfill",
    "start_feed",
    "start_feed_of_everything",
    "suspend_award",
]
