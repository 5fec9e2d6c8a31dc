-- The orders, filters and search of the calls feed: the same for both tables, so that a merge of the two stays in order.
-- Predicates repeat the view's; a test call is rare, so it is filtered, not indexed.

-- Newest first, and what statistics read, so that they need no table.
create index concurrently if not exists idx_call_logs_org_created
  on public.call_logs (org_id, created_at desc, id desc)
  include (is_test_call, call_type, status, duration_seconds, sentiment_score, financial_value) where deleted_at is null;
create index concurrently if not exists idx_call_logs_org_duration
  on public.call_logs (org_id, sort_duration desc, created_at desc, id desc) where deleted_at is null;
create index concurrently if not exists idx_call_logs_org_name
  on public.call_logs (org_id, sort_name, created_at desc, id desc) where deleted_at is null;
create index concurrently if not exists idx_call_logs_org_status
  on public.call_logs (org_id, status, created_at desc, id desc) where deleted_at is null;
create index concurrently if not exists idx_call_logs_org_started
  on public.call_logs (org_id, (coalesce(started_at, created_at)) desc, id desc) where deleted_at is null;
-- For search_calls only: as text, because the planner would use an index on org_id itself, the smallest of all, for everything.
create index concurrently if not exists idx_call_logs_org_search
  on public.call_logs using gin ((org_id::text), search_text gin_trgm_ops) where deleted_at is null;
create index concurrently if not exists idx_call_logs_org_contact
  on public.call_logs (org_id, contact_id) where contact_id is not null;

-- Newest first, and what statistics read, so that they need no table.
create index concurrently if not exists idx_calls_org_date
  on public.calls (org_id, call_date desc, id desc)
  include (is_test_call, call_type, status, duration_seconds, sentiment_score, financial_value) where deleted_at is null;
create index concurrently if not exists idx_calls_org_duration
  on public.calls (org_id, sort_duration desc, call_date desc, id desc) where deleted_at is null;
create index concurrently if not exists idx_calls_org_name
  on public.calls (org_id, sort_name, call_date desc, id desc) where deleted_at is null;
create index concurrently if not exists idx_calls_org_status
  on public.calls (org_id, status, call_date desc, id desc) where deleted_at is null;
create index concurrently if not exists idx_calls_org_started
  on public.calls (org_id, (coalesce(started_at, call_date)) desc, id desc) where deleted_at is null;
create index concurrently if not exists idx_calls_org_search
  on public.calls using gin ((org_id::text), search_text gin_trgm_ops) where deleted_at is null;
create index concurrently if not exists idx_calls_org_contact
  on public.calls (org_id, contact_id) where contact_id is not null;

-- The outbound half of a contact's calls by number.
create index concurrently if not exists idx_calls_org_phone_date
  on public.calls (org_id, phone_number, call_date desc);
