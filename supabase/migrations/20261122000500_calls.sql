-- Calls: inbound ones in call_logs, outbound ones in calls, with the same columns, and one feed over both.
create table public.call_logs (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  call_type text not null default 'inbound' constraint call_type_inbound check (call_type = 'inbound'),
  vapi_call_id text constraint vapi_call_id_length check (length(vapi_call_id) between 1 and 200),
  contact_id uuid,
  phone_number text constraint phone_number_e164 check (phone_number ~ '^\+[1-9][0-9]{1,14}$'),
  from_number text constraint from_number_length check (length(from_number) <= 100),
  to_number text constraint to_number_length check (length(to_number) <= 100),
  caller_name text constraint caller_name_length check (length(caller_name) <= 200),
  status text not null default 'queued' constraint status_known
    check (status in ('queued', 'ringing', 'in-progress', 'completed', 'missed', 'transferred', 'failed')),
  started_at timestamptz,
  ended_at timestamptz,
  created_at timestamptz not null default now() constraint created_at_finite check (isfinite(created_at)),
  duration_seconds int constraint duration_not_negative check (duration_seconds >= 0),
  recording_storage_path text,
  recording_url text,
  recording_status text constraint recording_status_known
    check (recording_status in ('pending', 'processing', 'completed', 'failed')),
  recording_error text,
  transcript jsonb constraint transcript_is_list check (jsonb_typeof(transcript) = 'array'),
  sentiment_score numeric(4, 3) constraint sentiment_score_range check (sentiment_score between 0 and 1),
  sentiment_label text constraint sentiment_label_known check (sentiment_label in ('positive', 'neutral', 'negative')),
  sentiment_summary text,
  sentiment_urgency text constraint sentiment_urgency_known check (sentiment_urgency in ('High', 'Medium', 'Low')),
  action_items jsonb not null default '[]' constraint action_items_is_list check (jsonb_typeof(action_items) = 'array'),
  outcome text,
  outcome_summary text,
  ended_reason text,
  cost_cents int not null default 0 constraint cost_not_negative check (cost_cents >= 0),
  tools_used text[] not null default '{}' constraint tools_used_named check (public.has_no_blank(tools_used)),
  lead_temp text constraint lead_temp_known check (lead_temp in ('hot', 'warm', 'cold')),
  lead_score int constraint lead_score_range check (lead_score between 0 and 100),
  financial_value numeric(12, 2) not null default 0 constraint value_not_negative check (financial_value >= 0),
  procedure_intent text,
  booking_confirmed boolean not null default false,
  is_test_call boolean not null default false,
  transfer_to text,
  transfer_time timestamptz,
  transfer_reason text,
  notes text,
  metadata jsonb not null default '{}' constraint metadata_is_object check (jsonb_typeof(metadata) = 'object'),
  deleted_at timestamptz,
  updated_at timestamptz not null default now(),
  -- Kept by the database so that the feed's orders and search are plain columns, which an index can serve.
  sort_name text collate "C" not null generated always as (lower(coalesce(nullif(btrim(caller_name), ''), 'Unknown'))) stored,
  sort_duration int not null generated always as (coalesce(duration_seconds, 0)) stored,
  search_text text not null generated always as (coalesce(caller_name, '') || E'\n' || coalesce(phone_number, '')) stored,
  has_recording boolean not null generated always as
    (coalesce(recording_storage_path, 'processing') <> 'processing' or recording_url is not null) stored,
  has_transcript boolean not null generated always as (coalesce(transcript, '[]') <> '[]'::jsonb) stored,
  constraint ended_after_start check (ended_at >= started_at)
);

create table public.calls (
  like public.call_logs including defaults including generated including constraints including comments,
  call_date timestamptz not null default now() constraint call_date_finite check (isfinite(call_date)),
  primary key (id)
);
alter table public.calls drop constraint call_type_inbound;
alter table public.calls alter column call_type set default 'outbound';
alter table public.calls add constraint call_type_outbound check (call_type = 'outbound');
alter table public.calls add foreign key (org_id) references public.organizations (id) on delete cascade;

-- Both columns in the key, so that a call can only name a contact of its own organisation.
alter table public.call_logs add foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete set null (contact_id);
alter table public.calls add foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete set null (contact_id);
alter table public.call_logs add unique (vapi_call_id);
alter table public.calls add unique (vapi_call_id);

-- Both branches are bare tables of plain columns and the one condition stands outside: only then does the planner merge the
-- two tables' indexes in order. A condition within a branch costs a sort of the organisation's whole history.
create view public.calls_feed with (security_invoker = true) as
select
  id, org_id, call_type, vapi_call_id, contact_id, phone_number, from_number, to_number, caller_name, status,
  call_date, started_at, ended_at, created_at, duration_seconds, recording_storage_path, recording_url,
  recording_status, recording_error, has_recording, transcript, has_transcript, sentiment_score, sentiment_label,
  sentiment_summary, sentiment_urgency, action_items, outcome, outcome_summary, ended_reason, cost_cents, tools_used,
  lead_temp, lead_score, financial_value, procedure_intent, booking_confirmed, is_test_call, transfer_to,
  transfer_time, transfer_reason, notes, metadata, updated_at, sort_name, sort_duration, search_text
from (
  select
    id, org_id, call_type, vapi_call_id, contact_id, phone_number, from_number, to_number, caller_name, status,
    created_at as call_date, started_at, ended_at, created_at, duration_seconds, recording_storage_path,
    recording_url, recording_status, recording_error, has_recording, transcript, has_transcript, sentiment_score,
    sentiment_label, sentiment_summary, sentiment_urgency, action_items, outcome, outcome_summary, ended_reason,
    cost_cents, tools_used, lead_temp, lead_score, financial_value, procedure_intent, booking_confirmed, is_test_call,
    transfer_to, transfer_time, transfer_reason, notes, metadata, updated_at, sort_name, sort_duration, search_text,
    deleted_at
  from public.call_logs
  union all
  select
    id, org_id, call_type, vapi_call_id, contact_id, phone_number, from_number, to_number, caller_name, status,
    call_date, started_at, ended_at, created_at, duration_seconds, recording_storage_path, recording_url,
    recording_status, recording_error, has_recording, transcript, has_transcript, sentiment_score, sentiment_label,
    sentiment_summary, sentiment_urgency, action_items, outcome, outcome_summary, ended_reason, cost_cents,
    tools_used, lead_temp, lead_score, financial_value, procedure_intent, booking_confirmed, is_test_call,
    transfer_to, transfer_time, transfer_reason, notes, metadata, updated_at, sort_name, sort_duration, search_text,
    deleted_at
  from public.calls
) as call
where deleted_at is null;

create trigger touch before update on public.call_logs for each row execute function public.touch_updated_at();
create trigger identity before update on public.call_logs for each row execute function public.keep_identity();
alter table public.call_logs enable row level security;
revoke all on public.call_logs from public, anon, authenticated;
grant all on public.call_logs to service_role;
grant select, insert, update, delete on public.call_logs to authenticated;
-- coalesce changes nothing but what the planner makes of it: through the feed it would take the policy's condition and the
-- query's own for two that each leave few rows, and with many clinics it then sorts a whole history, expecting one row.
create policy "members read" on public.call_logs for select to authenticated
  using (coalesce(org_id = (select public.auth_org_id()), false));
create policy "agents add" on public.call_logs for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.call_logs for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.call_logs for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);

create trigger touch before update on public.calls for each row execute function public.touch_updated_at();
create trigger identity before update on public.calls for each row execute function public.keep_identity();
alter table public.calls enable row level security;
revoke all on public.calls from public, anon, authenticated;
grant all on public.calls to service_role;
grant select, insert, update, delete on public.calls to authenticated;
create policy "members read" on public.calls for select to authenticated
  using (coalesce(org_id = (select public.auth_org_id()), false));
create policy "agents add" on public.calls for insert to authenticated
  with check (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
create policy "agents change" on public.calls for update to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1)
  with check (org_id = (select public.auth_org_id()));
create policy "agents remove" on public.calls for delete to authenticated
  using (org_id = (select public.auth_org_id()) and (select public.auth_role_rank()) >= 1);
revoke all on public.calls_feed from public, anon, authenticated;
grant select on public.calls_feed to authenticated, service_role;
