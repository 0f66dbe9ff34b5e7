"""The credentials room: issuers and their keys, signed documents, status, pages and files."""
