-- The leads by warmth, newest first: the same for both tables, so that a merge of the two stays in order. Without test calls,
-- of which a clinic that tries its assistant out may have more than of all others.
create index concurrently if not exists idx_call_logs_org_lead
  on public.call_logs (org_id, lead_temp, created_at desc, id desc) where deleted_at is null and not is_test_call and lead_temp is not null;
create index concurrently if not exists idx_calls_org_lead
  on public.calls (org_id, lead_temp, call_date desc, id desc) where deleted_at is null and not is_test_call and lead_temp is not null;
-- The bookings made last.
create index concurrently if not exists idx_appointments_org_booked
  on public.appointments (org_id, created_at desc, id desc) where deleted_at is null and status <> 'cancelled';
