-- The orders and filters of the other lists.
create index concurrently if not exists idx_contacts_org_last_contacted
  on public.contacts (org_id, last_contacted_at desc nulls last, id desc);
create index concurrently if not exists idx_contacts_org_status_last_contacted
  on public.contacts (org_id, lead_status, last_contacted_at desc nulls last, id desc);
create index concurrently if not exists idx_appointments_org_scheduled
  on public.appointments (org_id, scheduled_at, id) where deleted_at is null;
