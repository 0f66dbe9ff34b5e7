"""The verbs of the exams room; the only thing that other rooms call."""

from mooc_microcred.exams.admissions import admit_learners, my_admissions, my_results, my_waiting_sittings
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
from mooc_microcred.exams.candidates import read_candidates
from mooc_microcred.exams.desk import (
    admissions_for_centre,
    batches_waiting_for,
    compare_with_corrected,
    correction_of_batch,
    desk_state,
    exams_in_force,
    find_admissions,
    history_of_batch,
    list_admissions,
    list_batches,
)
from mooc_microcred.exams.evidence import ExamEvidence, counting_result, read_sittings
from mooc_microcred.exams.files import result_template

__all__ = [
    "ExamEvidence",
    "RELEASED",
    "admissions_for_centre",
    "admit_learners",
    "batch_data",
    "batches_waiting_for",
    "cancel_batch",
    "compare_with_corrected",
    "correction_of_batch",
    "counting_result",
    "delete_old_files",
    "desk_state",
    "exams_in_force",
    "export_problems_csv",
    "find_admissions",
    "get_batch",
    "history_of_batch",
    "import_right_rows",
    "list_admissions",
    "list_batches",
    "my_admissions",
    "my_results",
    "my_waiting_sittings",
    "queue_learners_of_release",
    "read_candidates",
    "read_sittings",
    "release_batch",
    "result_template",
    "results_of_batch",
    "sign_batch",
    "upload_batch",
]
