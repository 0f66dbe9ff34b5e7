"""The public events of the suite.

Imported by ``apps.py`` itself: openedx-events checks EVENT_BUS_PRODUCER_CONFIG when the apps are ready,
and knows an event only once it was made.
"""

from openedx_events.tooling import OpenEdxPublicSignal

from mooc_microcred_openedx.data import MicrocredAwardData, MicrocredCreditData

# .. event_type: org.mooc_microcred.learning.award.issued.v1
# .. event_name: MICROCRED_AWARD_ISSUED
# .. event_key_field: award.uuid
# .. event_description: A learner has been awarded a micro-credential, and the platform shows it.
# .. event_data: MicrocredAwardData
# .. event_trigger_repository: mooc-microcred
MICROCRED_AWARD_ISSUED = OpenEdxPublicSignal(
    event_type="org.mooc_microcred.learning.award.issued.v1", data={"award": MicrocredAwardData}
)

# .. event_type: org.mooc_microcred.learning.award.revoked.v1
# .. event_name: MICROCRED_AWARD_REVOKED
# .. event_key_field: award.uuid
# .. event_description: An award was taken back for good.
# .. event_data: MicrocredAwardData
# .. event_trigger_repository: mooc-microcred
MICROCRED_AWARD_REVOKED = OpenEdxPublicSignal(
    event_type="org.mooc_microcred.learning.award.revoked.v1", data={"award": MicrocredAwardData}
)

# .. event_type: org.mooc_microcred.learning.credit.deposited.v1
# .. event_name: MICROCRED_CREDIT_DEPOSITED
# .. event_key_field: credit.key
# .. event_description: A credit bank has acknowledged the credit of an award.
# .. event_data: MicrocredCreditData
# .. event_trigger_repository: mooc-microcred
MICROCRED_CREDIT_DEPOSITED = OpenEdxPublicSignal(
    event_type="org.mooc_microcred.learning.credit.deposited.v1", data={"credit": MicrocredCreditData}
)
