-- The private bucket for recordings, where there is a storage service. Objects are named <org_id>/<file>.
do $$
begin
  if to_regclass('storage.buckets') is not null then
    insert into storage.buckets (id, name, public) values ('call-recordings', 'call-recordings', false)
      on conflict (id) do update set public = false;
  end if;
end
$$;
