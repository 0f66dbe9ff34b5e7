"""All models, where Django looks for them; each lives in its room."""

from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    Award,
    AwardEvent,
    CatalogueRevision,
    CertificateAsk,
    CourseRequirement,
    EvaluationRequest,
    Feed,
    Issuer,
    RunOffer,
)
from mooc_microcred.core.models import (
    AuditEntry,
    Heartbeat,
    LearnerIdentity,
    LearnerLease,
    OutboxMessage,
    RetiredLearner,
    StaffRole,
)
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult

__all__ = [
    "Achievement",
    "AchievementVersion",
    "AuditEntry",
    "Award",
    "AwardEvent",
    "CatalogueRevision",
    "CertificateAsk",
    "Consent",
    "CourseRequirement",
    "CreditRecord",
    "Delivery",
    "EvaluationRequest",
    "ExamAdmission",
    "ExamBatch",
    "ExamResult",
    "Feed",
    "Heartbeat",
    "Issuer",
    "LearnerIdentity",
    "LearnerLease",
    "OutboxMessage",
    "RetiredLearner",
    "RunOffer",
    "StaffRole",
]
