"""Whether a credential still stands: status lists that say it for all credentials of an issuer."""
