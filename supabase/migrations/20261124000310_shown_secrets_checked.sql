-- Apart from adding it, so that reading every row locks nobody out.
alter table public.org_credentials validate constraint masked_is_text;
