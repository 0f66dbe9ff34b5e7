"""What leaves as public events: in the form of openedx-events, over its bus, at least once."""

from datetime import UTC, datetime
from decimal import Decimal

import openedx_events
import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from opaque_keys.edx.keys import CourseKey
from openedx_events.apps import OpenedxEventsConfig, general_signal_handler
from openedx_events.event_bus.avro.deserializer import deserialize_bytes_to_event_data
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED

from mooc_microcred.achievements import api
from mooc_microcred.achievements.models import Award
from mooc_microcred.core import clock, outbox, retirement
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.core.roles import Actor
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.models import CreditRecord, Delivery
from mooc_microcred_openedx import events_out
from mooc_microcred_openedx.data import MicrocredAwardData, MicrocredCreditData
from mooc_microcred_openedx.settings import lms
from mooc_microcred_openedx.signals import (
    MICROCRED_AWARD_ISSUED,
    MICROCRED_AWARD_REVOKED,
    MICROCRED_CREDIT_DEPOSITED,
)
from tests.faults import services
from tests.support.definitions import RUN, level1, programme
from tests.support.factories import make_award

LEARNER = 7
OWN = (MICROCRED_AWARD_ISSUED, MICROCRED_AWARD_REVOKED, MICROCRED_CREDIT_DEPOSITED)


# --- over Avro, whatever is in them ---

# What the database takes: no surrogates, and no NUL.
words = st.one_of(
    st.just(""), st.just("ไมโครเครดิต ๑๒ หน่วยกิต"), st.text(st.characters(exclude_categories=["Cs"]))
)
decimals = st.decimals(0, 9999, places=2).map(str)
instants = st.datetimes(timezones=st.just(UTC))
numbers = st.integers(1, 2**62)
awards = st.builds(
    MicrocredAwardData,
    uuid=words,
    user_id=numbers,
    achievement=words,
    version=numbers,
    kind=words,
    organization=words,
    name_th=words,
    name_en=words,
    credits=decimals,
    hours=decimals,
    state=words,
    reason=words,
    issued_at=instants,
    expires_at=st.none() | instants,
    revoked_at=st.none() | instants,
    course_key=st.none() | st.just(CourseKey.from_string(RUN)),
    # Empty is never sent: the bus reads it as absent, where a field may be absent.
    credential_url=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
credits_ = st.builds(
    MicrocredCreditData,
    key=words,
    record=words,
    award=words,
    user_id=numbers,
    bank=words,
    organization=words,
    method=words,
    credits=decimals,
    hours=decimals,
    receipt=words,
    deposited_at=instants,
    replaces=st.booleans(),
)


def over_the_wire(signal, data):
    return deserialize_bytes_to_event_data(serialize_event_data_to_bytes(data, signal), signal)


@given(awards)
def test_an_award_comes_over_avro_as_it_was_sent(award):
    for signal in (MICROCRED_AWARD_ISSUED, MICROCRED_AWARD_REVOKED):
        assert over_the_wire(signal, {"award": award}) == {"award": award}


@given(credits_)
def test_a_deposit_comes_over_avro_as_it_was_sent(credit):
    assert over_the_wire(MICROCRED_CREDIT_DEPOSITED, {"credit": credit}) == {"credit": credit}


# --- what is sent when ---

pytest_db = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard():
    """Listen to every event that the suite sends; return what came, in order."""
    found = []

    def listen(signal, **kwargs):
        (name,) = signal.init_data
        found.append((signal, kwargs[name], kwargs["metadata"]))

    signals = [*OWN, BADGE_AWARDED, BADGE_REVOKED]
    for signal in signals:
        signal.connect(listen)
    yield found
    for signal in signals:
        signal.disconnect(listen)


def relay_all():
    while (report := outbox.relay()).done:
        assert report.failed + report.dead == 0


def certified(platform, learner=LEARNER, **fields):
    level1(**fields)
    platform.add_learner(learner, name="สมหญิง ใจดี", username="somying", email="somying@example.ac.th")
    platform.certify(learner, RUN)
    api.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")
    api.evaluate_due()
    return Award.objects.get(learner_id=learner)


@pytest_db
def test_an_issued_and_a_revoked_award_are_told(platform, heard):
    award = certified(platform, validity_months=12, credits="2.5")
    relay_all()
    data = next(data for signal, data, _ in heard if signal is MICROCRED_AWARD_ISSUED)
    assert data == MicrocredAwardData(
        uuid=award.uuid,
        user_id=LEARNER,
        achievement="py101-l1",
        version=1,
        kind="level1",
        organization="KMUTT",
        name_th="ไทย py101-l1",
        name_en="English py101-l1",
        credits="2.5",
        hours="45",
        state="active",
        reason="earned",
        issued_at=award.issued_at,
        expires_at=award.expires_at,
        course_key=CourseKey.from_string(RUN),
        credential_url=data.credential_url,
    )
    api.revoke_award(actor=Actor(user_id=1, superuser=True), award_uuid=award.uuid, note="copied")
    relay_all()
    data = next(data for signal, data, _ in heard if signal is MICROCRED_AWARD_REVOKED)
    assert (data.uuid, data.state) == (award.uuid, "revoked")
    assert data.revoked_at is not None
    for signal, _, metadata in heard:
        assert metadata.event_type == signal.event_type
        assert metadata.time.utcoffset() is not None


@pytest_db
def test_our_own_events_name_nobody(platform, heard):
    certified(platform)
    relay_all()
    ours = " ".join(str(data) for signal, data, _ in heard if signal in OWN)
    assert ours
    for name in ("somying", "สมหญิง", "example.ac.th"):
        assert name not in ours


@pytest_db
def test_a_badge_is_told_in_the_platforms_own_form(platform, heard):
    award = certified(platform)
    relay_all()
    badge = next(data for signal, data, _ in heard if signal is BADGE_AWARDED)
    assert badge.uuid == award.uuid
    assert (badge.user.id, badge.user.pii.username) == (LEARNER, "somying")
    assert (badge.template.origin, badge.template.name) == ("mooc-microcred", "English py101-l1")
    assert over_the_wire(BADGE_AWARDED, {"badge": badge}) == {"badge": badge}
    api.revoke_award(actor=Actor(user_id=1, superuser=True), award_uuid=award.uuid, note="copied")
    relay_all()
    assert [data.uuid for signal, data, _ in heard if signal is BADGE_REVOKED] == [award.uuid]


@pytest_db
def test_who_was_retired_meanwhile_is_named_to_nobody(platform, heard):
    certified(platform)
    retirement.retire_learner(learner_id=LEARNER)
    relay_all()
    assert {signal for signal, _, _ in heard} == {MICROCRED_AWARD_ISSUED}


@pytest_db
def test_a_programme_has_no_run_and_still_goes_over_avro(platform, heard):
    programme("starter", {"all": [{"achievement": "py101-l1"}]})
    level1()
    platform.certify(LEARNER, RUN)
    api.request_evaluation(learner_id=LEARNER, course_key=RUN, reason="certificate")
    api.evaluate_due()
    relay_all()
    told = {data.kind: data for signal, data, _ in heard if signal is MICROCRED_AWARD_ISSUED}
    assert told["programme"].course_key is None
    assert over_the_wire(MICROCRED_AWARD_ISSUED, {"award": told["programme"]}) == {"award": told["programme"]}


@pytest_db
def test_a_deposit_is_told_with_its_receipt(heard):
    record = CreditRecord.objects.create(
        award=make_award(LEARNER, announce=False),
        learner_id=LEARNER,
        organization="KMUTT",
        bank="central",
        state="deposited",
        method_code="CE",
        credits=Decimal("2.50"),
        hours=Decimal("45"),
        created=clock.now(),
        changed=clock.now(),
    )
    delivery = Delivery.objects.create(
        record=record,
        bank="central",
        sequence=1,
        kind="deposit",
        state="acknowledged",
        receipt="ใบรับ-1",
        created=clock.now(),
        acknowledged_at=clock.now(),
    )
    OutboxMessage.objects.create(
        topic=creditbank.DEPOSITED, payload={"delivery": delivery.key}, created=clock.now(), due=clock.now()
    )
    relay_all()
    ((signal, data, _),) = heard
    assert signal is MICROCRED_CREDIT_DEPOSITED
    assert (data.key, data.credits, data.receipt, data.replaces) == (delivery.key, "2.50", "ใบรับ-1", False)
    assert over_the_wire(signal, {"credit": data}) == {"credit": data}


@pytest_db
def test_a_receiver_that_fails_hears_it_again_and_the_others_tell_it_by_its_id(platform, heard):
    certified(platform)
    failing = [True]

    def fails(**_):
        if failing[0]:
            raise RuntimeError("not now")

    MICROCRED_AWARD_ISSUED.connect(fails)
    try:
        assert outbox.relay().failed == 1
        failing[0] = False
        OutboxMessage.objects.update(due=clock.now())
        relay_all()
    finally:
        MICROCRED_AWARD_ISSUED.disconnect(fails)
    told = [data for signal, data, _ in heard if signal is MICROCRED_AWARD_ISSUED]
    assert len(told) == 2
    assert told[0] == told[1]
    # Who was not concerned is not told twice.
    assert len([1 for signal, _, _ in heard if signal is BADGE_AWARDED]) == 1


@pytest_db
def test_nothing_is_read_where_nobody_listens(platform, django_assert_num_queries):
    award = certified(platform)
    message = outbox.Message(1, "award.issued", 1, LEARNER, {"award": award.uuid}, clock.now())
    platform.away = True
    with django_assert_num_queries(0):
        events_out.award_issued(message)
        events_out.badge_awarded(message)


@pytest_db
def test_a_backfill_publishes_nothing_unless_it_is_told_to(platform, heard, capsys):
    level1()
    platform.certify(LEARNER, RUN)
    call_command("microcred_backfill", "--course", RUN, "--no-rest")
    relay_all()
    assert heard == []
    platform.certify(8, RUN)
    call_command("microcred_backfill", "--course", RUN, "--no-rest", "--announce")
    relay_all()
    assert [data.user_id for signal, data, _ in heard if signal is MICROCRED_AWARD_ISSUED] == [8]


# --- the settings, and the bus ---


class _Settings:
    MOOC_MICROCRED = None


def test_the_plugin_appends_its_events_switched_off_and_keeps_what_the_operator_has_set():
    settings = _Settings()
    mine = {"elsewhere": {"event_key_field": "award.uuid", "enabled": True}}
    settings.EVENT_BUS_PRODUCER_CONFIG = {"x": {}, MICROCRED_AWARD_ISSUED.event_type: mine}
    for _ in range(2):
        lms.append_bus_events(settings)
    config = settings.EVENT_BUS_PRODUCER_CONFIG
    assert config["x"] == {}
    assert config.pop(MICROCRED_AWARD_ISSUED.event_type) == mine
    for signal in (MICROCRED_AWARD_REVOKED, MICROCRED_CREDIT_DEPOSITED):
        (topic,) = config[signal.event_type].values()
        assert topic["enabled"] is False
    assert set(lms.BUS_EVENTS) == {signal.event_type for signal in OWN}


@pytest.fixture
def bus(settings):
    """A real Redis as the event bus, with our events and the badges switched on; return its consumer."""
    pytest.importorskip("edx_event_bus_redis")
    import redis
    from edx_event_bus_redis import RedisEventConsumer

    url = services.broker_url()
    try:
        server = redis.Redis.from_url(url, socket_connect_timeout=3)
        server.ping()
    except redis.RedisError as error:
        services.absent("Redis on 127.0.0.1", error)
    prefix = f"test{datetime.now(UTC).timestamp()}"
    settings.EVENT_BUS_PRODUCER = "edx_event_bus_redis.create_producer"
    settings.EVENT_BUS_REDIS_CONNECTION_URL = url
    settings.EVENT_BUS_TOPIC_PREFIX = prefix
    keys = {**lms.BUS_EVENTS, BADGE_AWARDED.event_type: "badge.uuid", BADGE_REVOKED.event_type: "badge.uuid"}
    settings.EVENT_BUS_PRODUCER_CONFIG = {
        name: {lms.BUS_TOPIC: {"event_key_field": key, "enabled": True}} for name, key in keys.items()
    }
    # What it does when it starts: it checks the settings and connects the producer.
    OpenedxEventsConfig("openedx_events", openedx_events).ready()
    yield lambda: RedisEventConsumer(lms.BUS_TOPIC, "tests", "one", check_backlog=True)
    for signal in (*OWN, BADGE_AWARDED, BADGE_REVOKED):
        signal.disconnect(general_signal_handler)
    server.delete(f"{prefix}-{lms.BUS_TOPIC}")
    server.close()


@pytest_db
def test_what_the_producer_sends_over_redis_the_consumer_hears_unchanged(platform, bus):
    from edx_event_bus_redis.internal import consumer as internals

    award = certified(platform, validity_months=12)
    api.revoke_award(actor=Actor(user_id=1, superuser=True), award_uuid=award.uuid, note="copied")
    sent, received = [], []

    def listen(signal, metadata, from_event_bus, **kwargs):
        (name,) = signal.init_data
        (received if from_event_bus else sent).append((metadata.event_type, metadata.id, kwargs[name]))
        if len(received) == 4:
            consumer._shut_down()

    signals = [MICROCRED_AWARD_ISSUED, MICROCRED_AWARD_REVOKED, BADGE_AWARDED, BADGE_REVOKED]
    for signal in signals:
        signal.connect(listen)
    consumer = bus()
    try:
        relay_all()
        assert len(sent) == 4
        assert internals.CONSUMER_POLL_TIMEOUT
        consumer.consume_indefinitely()
    finally:
        for signal in signals:
            signal.disconnect(listen)
    assert received == sent
