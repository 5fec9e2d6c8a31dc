-- What the provider's events need kept beside the rows they make.

-- The highest rank of an event that reached the call (0: none), and what is needed to merge events that come in any order:
-- {"ranks": a digit for each column of call_event_columns(), the rank of the event its value is from,
--  "metadata": the same by key, "contact": the rank of the event its contact is from,
--  "dated", "timed": the call's date and duration are ours to move, "added", "named": the contact, or its name, is from this call,
--  "ended_at": the time that was given, if it lay before the start}.
alter table public.call_logs add column event_rank int not null default 0, add column event_state jsonb not null default '{}';
alter table public.calls add column event_rank int not null default 0, add column event_state jsonb not null default '{}';

-- Texts that are still to be sent: written in the transaction that decided on them, gone when the outcome is known. A table of
-- its own, since members may write messages and must not thereby send them, nor change what is sent and to whom.
create table public.message_outbox (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  message_id uuid not null,
  purpose text not null check (purpose in ('hot_lead_alert', 'booking_confirmation')),
  recipient text not null check (recipient ~ '^\+[1-9][0-9]{1,14}$'),
  content text not null check (length(content) between 1 and 1600),
  attempts int not null default 0 check (attempts >= 0),
  next_attempt_at timestamptz not null default now(), -- while a sender has it: when its claim lapses
  claimed_at timestamptz, -- null when its last claim has ended
  uncertain_since timestamptz, -- the first claim of which nobody knows whether the text went out
  created_at timestamptz not null default now(),
  foreign key (org_id, message_id) references public.messages (org_id, id) on delete cascade
);
create index idx_message_outbox_due on public.message_outbox (next_attempt_at);
create index idx_message_outbox_org_message on public.message_outbox (org_id, message_id);
create trigger identity before update on public.message_outbox for each row execute function public.keep_identity();
alter table public.message_outbox enable row level security;
revoke all on public.message_outbox from public, anon, authenticated;
grant all on public.message_outbox to service_role;
