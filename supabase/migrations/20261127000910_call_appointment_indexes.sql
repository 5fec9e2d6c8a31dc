-- For call_appointments. In a file of its own, because CONCURRENTLY allows no transaction.
create index concurrently if not exists idx_appointments_org_call
  on public.appointments (org_id, call_id) where call_id is not null;
