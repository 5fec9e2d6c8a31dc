"""Every index serves a query that is tested here, keeps a rule, or is defended."""

import psycopg

from tests.schema.query_plans.reader import Reader
from tests.schema.query_plans.test_list_calls import CALL_TYPES, asked, row_at
from tests.schema.query_plans.test_orders import CONTACT, ORDERS, OTHER_LISTS
from tests.schema.query_plans.test_routes import NAMED

FOREIGN_KEY = "a deleted row of the other table must find those that refer to it"
LATER = "for a list of a later issue, which tests it there"
WEBHOOKS = "for the webhooks' ledger, which the service role alone reads"
EVENTS = "for the functions that apply events, send texts and tidy up: test_call_events"
DEFENDED = {
    "idx_appointments_org_phone": EVENTS,
    "idx_call_logs_unfinished": EVENTS,
    "idx_calls_unfinished": EVENTS,
    "idx_integration_settings_twilio_account": EVENTS,
    "idx_message_outbox_due": EVENTS,
    "idx_message_outbox_org_message": EVENTS,
    "idx_webhook_dead_letters_replayed": EVENTS,
    "idx_appointments_org_scheduled": "the diary by day: test_orders and test_routes",
    "idx_assistant_org_mapping_org": FOREIGN_KEY,
    "idx_audit_logs_org_created": LATER,
    "idx_call_logs_org_contact": FOREIGN_KEY,
    "idx_call_tracking_created_by": FOREIGN_KEY,
    "idx_call_tracking_org_agent": FOREIGN_KEY,
    "idx_call_tracking_org_called": LATER,
    "idx_call_tracking_org_contact": FOREIGN_KEY,
    "idx_call_transcripts_org_call": FOREIGN_KEY,
    "idx_calls_org_contact": FOREIGN_KEY,
    "idx_escalation_rules_org_agent": FOREIGN_KEY,
    "idx_escalation_rules_org_priority": LATER,
    "idx_escalation_rules_user": FOREIGN_KEY,
    "idx_follow_up_tasks_org_contact": FOREIGN_KEY,
    "idx_follow_up_tasks_org_due": LATER,
    "idx_hot_lead_alerts_org_contact": FOREIGN_KEY,
    "idx_messages_org_appointment": FOREIGN_KEY,
    "idx_messages_org_call": FOREIGN_KEY,
    "idx_notifications_user": FOREIGN_KEY,
    "idx_phone_number_mapping_created_by": FOREIGN_KEY,
    "idx_processed_webhook_events_received": WEBHOOKS,
    "idx_profiles_org": FOREIGN_KEY,
    "idx_service_price_history_org_service": LATER,
    "idx_sms_message_tracking_org_message": FOREIGN_KEY,
    "idx_team_invitations_email": "what somebody is asked to join, by address, when they sign up",
    "idx_team_invitations_invited_by": FOREIGN_KEY,
    "idx_transfer_queue_org_agent": FOREIGN_KEY,
    "idx_transfer_queue_org_created": LATER,
    "idx_transfer_queue_org_rule": FOREIGN_KEY,
    "idx_transfer_queue_org_status": LATER,
    "idx_user_org_roles_invited_by": FOREIGN_KEY,
    "idx_user_org_roles_org_role": "the agents of a team, where there are more accounts than a scan reads",
    "idx_webhook_dead_letters_org": FOREIGN_KEY,
    "idx_webhook_dead_letters_waiting": WEBHOOKS,
    "idx_webhook_delivery_log_received": WEBHOOKS,
}
# Indexes without a constraint, and not unique: those exist for reading only.
READ_ONLY = """
  select relname from pg_index join pg_class on pg_class.oid = indexrelid
  where relnamespace = 'public'::regnamespace and not indisunique and not indisexclusion"""


def ask_everything(reader: Reader) -> None:
    """Each list in each order and place, and what else is asked."""
    for order in ORDERS:
        for call_type in CALL_TYPES:
            asked(reader, order, p_call_type=call_type)
        asked(reader, order, p_after=row_at(reader, order, 40_000))
    asked(reader, p_status="missed")
    asked(reader, p_offset=40_000)
    asked(reader, p_pattern="bob 41")
    reader.within("select public.call_stats(%(org)s)")
    for function in ("actionable_leads", "recent_activity"):
        reader.within(f"select public.{function}(%(org)s)")
    reader.within("select * from public.list_agents(%(org)s)")
    parts = {"{own}": "org_id = '{org}'", "{phone}": "'+447700000007'", "{contact}": CONTACT}
    for query in OTHER_LISTS.values():
        for name, text in parts.items():
            query = query.replace(name, text)  # noqa: PLW2901
        reader.plan(f"select id from public.{query} limit 20")
    for query in NAMED.values():
        reader.plan(query)


def scans(db: psycopg.Connection) -> dict[str, int]:
    """How often each index has been read; a session tells its counts when it is idle, or when asked to."""
    query = "select indexrelname, idx_scan from pg_stat_user_indexes where schemaname = 'public'"
    return dict(db.execute(query).fetchall())


def test_an_index_that_nothing_uses_is_defended(reader: Reader) -> None:
    reader.db.execute("select pg_stat_force_next_flush()")
    before = scans(reader.db)
    ask_everything(reader)
    for connection in (reader.db, reader.telling):
        connection.execute("select pg_stat_force_next_flush()")
    after = scans(reader.db)
    read_only = {name for (name,) in reader.db.execute(READ_ONLY)}
    unused = {name for name in read_only if after[name] == before[name]}

    assert unused <= DEFENDED.keys(), "neither used nor defended"
    assert read_only >= DEFENDED.keys(), "defended, but gone"
