-- For the functions that apply events. In a file of their own, because CONCURRENTLY allows no transaction.

-- The bookings of a number that has no contact.
create index concurrently if not exists idx_appointments_org_phone
  on public.appointments (org_id, contact_phone) where contact_phone is not null;
-- An event waits once among the dead letters.
create unique index concurrently if not exists webhook_dead_letters_waiting_key
  on public.webhook_dead_letters (source, org_id, event_id) nulls not distinct where replayed_at is null and event_id is not null;
create index concurrently if not exists idx_webhook_dead_letters_replayed
  on public.webhook_dead_letters (replayed_at) where replayed_at is not null;
-- Calls whose report has not come.
create index concurrently if not exists idx_call_logs_unfinished
  on public.call_logs (created_at, id) where vapi_call_id is not null and deleted_at is null and event_rank < 5
    and (event_rank > 0 or status in ('queued', 'ringing', 'in-progress'));
create index concurrently if not exists idx_calls_unfinished
  on public.calls (call_date, id) where vapi_call_id is not null and deleted_at is null and event_rank < 5
    and (event_rank > 0 or status in ('queued', 'ringing', 'in-progress'));
