"""The only code of the suite that knows edx-platform."""
