"""A stand-in for Studio and for the LMS's XBlock runtime: blocks, drafts, publishing, OLX."""
