"""How much of a stranger's credential is looked at. docs/reference/verification.md tells the same figures.

Each limit is checked before the work that it bounds: the length before anything is parsed, the
depth before the JSON parser recurses, names and values before JSON-LD is expanded, blank nodes
before they are compared with each other.
"""

from __future__ import annotations

#: Bytes of a credential, as JSON or JWT, taken out of its picture.
MAX_BYTES = 512 * 1024
#: Bytes of a file that is uploaded: a picture with a credential in it.
MAX_UPLOAD_BYTES = 4 * 1024 * 1024
#: Levels of arrays and objects in each other.
MAX_DEPTH = 40
#: Objects, and values of all kinds.
MAX_OBJECTS = 4_000
MAX_VALUES = 25_000
#: Characters of a key, and digits of a number.
MAX_KEY_LENGTH = 256
MAX_DIGITS = 40
#: Contexts that one @context may name.
MAX_CONTEXTS = 12
#: Proofs on one credential.
MAX_PROOFS = 4
#: Credentials and endorsements inside, all levels together, and levels of them.
MAX_INNER = 60
MAX_INNER_LEVELS = 3
#: Entries of one credentialStatus.
MAX_STATUS_ENTRIES = 6

#: Nodes without an id, statements, and the work of telling apart nodes that look alike (RDFC-1.0's
#: Hash N-Degree Quads, whose cost can grow with the factorial of their number).
MAX_BLANK_NODES = 3_000
MAX_STATEMENTS = 30_000
MAX_ALIKE = 6
MAX_ALIKE_CALLS = 2_000
#: Seconds of processor time for one credential with all that is in it.
MAX_SECONDS = 4.0

#: The network, where an operator allows hosts: requests of one verification, bytes and seconds of each.
MAX_FETCHES = 6
MAX_FETCH_BYTES = 1024 * 1024
MAX_FETCH_SECONDS = 5.0

#: Seconds by which an issuer's clock may be ahead of ours.
CLOCK_SKEW = 300
