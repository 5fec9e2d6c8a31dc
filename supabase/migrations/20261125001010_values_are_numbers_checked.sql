-- Apart from the file before, which holds locks while it is at it.
alter table public.call_logs validate constraint value_is_number;
alter table public.calls validate constraint value_is_number;
