-- The five performance indexes of the original design. In a file of their own, because CONCURRENTLY allows no transaction.

-- The calls of a contact, by number.
create index concurrently if not exists idx_call_logs_org_phone_created
  on public.call_logs (org_id, phone_number, created_at desc);
-- The appointments of a contact.
create index concurrently if not exists idx_appointments_org_contact_scheduled
  on public.appointments (org_id, contact_id, scheduled_at desc);
-- The diary by status. Partial on what every such query says; the original's "status = 'scheduled'" served one status of seven.
create index concurrently if not exists idx_appointments_org_status_scheduled
  on public.appointments (org_id, status, scheduled_at) where deleted_at is null;
-- Was this contact sent such a message lately?
create index concurrently if not exists idx_messages_org_contact_method
  on public.messages (org_id, contact_id, method, sent_at desc);
-- The price list, newest first; the id keeps pages stable.
create index concurrently if not exists idx_services_org_created
  on public.services (org_id, created_at desc, id desc);
