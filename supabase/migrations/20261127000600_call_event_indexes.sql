-- For the functions that apply events. In a file of their own, because CONCURRENTLY allows no transaction.

-- The bookings of a number that has no contact.
create index concurrently if not exists idx_appointments_org_phone
  on public.appointments (org_id, contact_phone) where contact_phone is not null;
-- What may be pruned of the dead letters.
create index concurrently if not exists idx_webhook_dead_letters_replayed
  on public.webhook_dead_letters (replayed_at) where replayed_at is not null;
-- Calls whose report has not come.
create index concurrently if not exists idx_call_logs_unfinished
  on public.call_logs (created_at, id) where vapi_call_id is not null and deleted_at is null and event_rank < 5
    and (event_rank > 0 or status in ('queued', 'ringing', 'in-progress'));
create index concurrently if not exists idx_calls_unfinished
  on public.calls (call_date, id) where vapi_call_id is not null and deleted_at is null and event_rank < 5
    and (event_rank > 0 or status in ('queued', 'ringing', 'in-progress'));
-- Whose an unknown text is, by the account that sent it.
create index concurrently if not exists idx_integration_settings_twilio_account
  on public.integration_settings (twilio_account_sid) where twilio_account_sid is not null;
