"""Standard exams: admissions, result batches, sign-off, release."""
