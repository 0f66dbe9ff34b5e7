"""The verbs of the creditbank room; the only thing that other rooms call."""

from mooc_microcred.creditbank.account import (
    credits_in_bank,
    describe_error,
    get_record,
    list_deliveries,
    list_records,
    my_account,
)
from mooc_microcred.creditbank.banks import bank_for, banks, check_bank_settings, get_bank
from mooc_microcred.creditbank.consents import give_consent, withdraw_consent
from mooc_microcred.creditbank.delivery import (
    collect_receipts,
    deliver_due,
    replay_deliveries,
)
from mooc_microcred.creditbank.deposits import TOPIC as DEPOSITED
from mooc_microcred.creditbank.deposits import DepositData, get_deposit
from mooc_microcred.creditbank.desk import count_dead_letters, lines_state, summarise_desk
from mooc_microcred.creditbank.exporting import export_learner
from mooc_microcred.creditbank.records import forget_learner, reconcile_records

__all__ = [
    "DEPOSITED",
    "DepositData",
    "bank_for",
    "banks",
    "check_bank_settings",
    "collect_receipts",
    "count_dead_letters",
    "credits_in_bank",
    "deliver_due",
    "describe_error",
    "export_learner",
    "forget_learner",
    "get_bank",
    "get_deposit",
    "get_record",
    "give_consent",
    "lines_state",
    "list_deliveries",
    "list_records",
    "my_account",
    "reconcile_records",
    "replay_deliveries",
    "summarise_desk",
    "withdraw_consent",
]
