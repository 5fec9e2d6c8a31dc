-- The search indexes with one key more: the organisation and the month of the call, so that the newest months of a long history
-- can be searched by themselves. The list of all calls of an organisation is as long as its history, and is read nearly whole for
-- any search.
create index concurrently if not exists idx_call_logs_search
  on public.call_logs using gin ((org_id::text),
    (org_id::text || (date_trunc('month', created_at at time zone 'UTC')::date - date '2000-01-01')::text), search_text gin_trgm_ops)
  where deleted_at is null;
create index concurrently if not exists idx_calls_search
  on public.calls using gin ((org_id::text),
    (org_id::text || (date_trunc('month', call_date at time zone 'UTC')::date - date '2000-01-01')::text), search_text gin_trgm_ops)
  where deleted_at is null;
drop index concurrently if exists public.idx_call_logs_org_search;
drop index concurrently if exists public.idx_calls_org_search;
