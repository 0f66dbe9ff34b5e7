"""The verbs of the exams room; the only thing that other rooms call."""

from mooc_microcred.exams.admissions import admit_learners, my_admissions, my_results
from mooc_microcred.exams.batches import (
    RELEASED,
    batch_data,
    cancel_batch,
    delete_old_files,
    export_problems_csv,
    get_batch,
    import_right_rows,
    queue_learners_of_release,
    release_batch,
    results_of_batch,
    sign_batch,
    upload_batch,
)
from mooc_microcred.exams.evidence import ExamEvidence, counting_result, read_sittings
from mooc_microcred.exams.files import result_template

__all__ = [
    "RELEASED",
    "ExamEvidence",
    "admit_learners",
    "batch_data",
    "cancel_batch",
    "counting_result",
    "delete_old_files",
    "export_problems_csv",
    "get_batch",
    "import_right_rows",
    "my_admissions",
    "my_results",
    "read_sittings",
    "queue_learners_of_release",
    "release_batch",
    "results_of_batch",
    "result_template",
    "sign_batch",
    "upload_batch",
]
