"""The Tutor plugin; ``plugin`` needs Tutor and is only ever imported by it, never by LMS or Studio."""
