"""JSON-LD contexts as their authors publish them, and our own; see NOTICE."""
