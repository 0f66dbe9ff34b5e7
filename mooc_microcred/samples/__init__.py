"""Sample catalogues, shipped with the package."""
