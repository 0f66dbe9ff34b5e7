"""Management of the suite by the operator."""
