"""Pages of the exam officer, the second signatory and whoever admits candidates."""
