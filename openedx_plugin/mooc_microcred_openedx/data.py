"""What the public events of the suite carry: attrs classes, as openedx-events and its bus want them.

No names and no addresses: who an event is about is said by the platform's user id. Decimals are texts,
since Avro has none that the bus knows. What may be absent has the default None, and nothing else is None.

Annotations are types and not texts here, because the bus makes its schema of them.
"""

from datetime import datetime

import attr
from opaque_keys.edx.keys import CourseKey


@attr.s(frozen=True, kw_only=True)
class MicrocredAwardData:
    """An award of a micro-credential.

    Attributes:
        uuid: of the award: the same event may be sent again, and this tells so.
        user_id: the platform's id of the learner.
        achievement: code of what was achieved. version: number of the definition that judged it.
        kind: ``level1``, ``level2``, ``programme`` or ``competency``.
        organization: short name of whose achievement it is.
        name_th, name_en: its names; empty where it has none in that language.
        credits, hours: Decimals as text.
        state: ``active``, ``suspended``, ``revoked`` or ``expired``, when the event is sent.
        reason: code of the last change.
        course_key: the run that it was earned in; None for a programme.
        credential_url: page of the signed credential; None while there is none.
    """

    uuid = attr.ib(type=str)
    user_id = attr.ib(type=int)
    achievement = attr.ib(type=str)
    version = attr.ib(type=int)
    kind = attr.ib(type=str)
    organization = attr.ib(type=str)
    name_th = attr.ib(type=str)
    name_en = attr.ib(type=str)
    credits = attr.ib(type=str)
    hours = attr.ib(type=str)
    state = attr.ib(type=str)
    reason = attr.ib(type=str)
    issued_at = attr.ib(type=datetime)
    expires_at = attr.ib(type=datetime, default=None)
    revoked_at = attr.ib(type=datetime, default=None)
    course_key = attr.ib(type=CourseKey, default=None)
    credential_url = attr.ib(type=str, default=None)


@attr.s(frozen=True, kw_only=True)
class MicrocredCreditData:
    """Credit that a credit bank has acknowledged.

    Attributes:
        key: of the deposit: the same event may be sent again, and this tells so.
        record, award: their uuids.
        user_id: the platform's id of the learner.
        bank: code of the bank in the operator's settings.
        method: method of assessment CS, CN, CT, CP or CE (credit bank notice B.E. 2565).
        credits, hours: Decimals as text.
        receipt: what the bank gave as its receipt.
        replaces: whether it replaces what the bank had of the award before.
    """

    key = attr.ib(type=str)
    record = attr.ib(type=str)
    award = attr.ib(type=str)
    user_id = attr.ib(type=int)
    bank = attr.ib(type=str)
    organization = attr.ib(type=str)
    method = attr.ib(type=str)
    credits = attr.ib(type=str)
    hours = attr.ib(type=str)
    receipt = attr.ib(type=str)
    deposited_at = attr.ib(type=datetime)
    replaces = attr.ib(type=bool)
