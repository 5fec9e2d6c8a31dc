-- Fills an organisation with as many calls as it is told, and what goes with them.
create function pg_temp.fill(p_org uuid, p_inbound int, p_outbound int) returns void language sql as $$
  insert into public.contacts (org_id, name, phone, lead_status, last_contacted_at)
  select p_org, 'Contact ' || n, '+4477' || lpad(n::text, 8, '0'), (array['hot', 'warm', 'cold'])[1 + n % 3],
    case when n % 5 > 0 then now() - n * interval '1 hour' end
  from generate_series(1, p_inbound / 20) as n;

  insert into public.call_logs (org_id, phone_number, caller_name, status, started_at, created_at, duration_seconds, is_test_call,
    lead_temp, contact_id, outcome_summary)
  select p_org, '+4477' || lpad((1 + n % (p_inbound / 20))::text, 8, '0'),
    case when n % 20 > 0 then (array['Anna', 'Bob', 'Chloe', 'David'])[1 + n % 4] || ' ' || n end,
    case when n % 1000 = 0 then 'failed' when n % 10 = 1 then 'missed' else 'completed' end, moment, moment, n * 37 % 400, n % 200 = 0,
    (array['hot', 'warm', 'cold', null])[1 + n / 8 % 4], callers[1 + n % (p_inbound / 20)], repeat(md5(n::text), 20)
  from generate_series(1, p_inbound) as n,
    (select array_agg(id) as callers from public.contacts where org_id = p_org) as contact, lateral (select now() - n * 7919::bigint % 1051200 * interval '1 minute' as moment) as at;

  insert into public.calls (org_id, phone_number, caller_name, status, started_at, call_date, duration_seconds, is_test_call,
    lead_temp, outcome_summary)
  select p_org, '+4477' || lpad((1 + n % (p_inbound / 20))::text, 8, '0'), 'Dora ' || n,
    case when n % 1000 = 0 then 'failed' when n % 10 = 1 then 'missed' else 'completed' end, moment, moment, n * 37 % 400, n % 200 = 0,
    (array['hot', 'warm', 'cold', null])[1 + n / 8 % 4], repeat(md5(n::text), 20)
  from generate_series(1, p_outbound) as n, lateral (select now() - n * 7907::bigint % 1051200 * interval '1 minute' as moment) as at;

  insert into public.appointments (org_id, contact_id, service_type, scheduled_at, status)
  select p_org, contact.id, 'Botox', '2020-01-01'::timestamptz + row_number() over () * interval '1 hour',
    (array['completed', 'cancelled', 'no_show', 'scheduled', 'confirmed'])[1 + row_number() over () % 5]
  from public.contacts as contact, generate_series(1, 3) where org_id = p_org;

  insert into public.hot_lead_alerts (org_id, call_id, contact_id, lead_name, created_at)
  select org_id, gen_random_uuid(), id, name, now() - row_number() over () * interval '1 hour'
  from public.contacts where org_id = p_org;

  insert into public.messages (org_id, contact_id, method, recipient, content, sent_at)
  select p_org, contact.id, 'sms', contact.phone, 'See you tomorrow', now() - n * interval '1 day'
  from public.contacts as contact, generate_series(1, 3) as n where org_id = p_org;

  insert into public.services (org_id, name, price, keywords, created_at)
  select p_org, 'Service ' || n, n, array['word'], now() - n * interval '1 day' from generate_series(1, p_inbound / 100) as n;

  insert into public.notifications (org_id, type, title, message, is_read, created_at)
  select p_org, 'missed_call', 'Missed call', 'from somebody', n % 3 > 0, now() - n * interval '1 hour'
  from generate_series(1, p_inbound / 20) as n;
$$;

-- Gives an organisation so many agents.
create function pg_temp.staff(p_org uuid, p_agents int) returns void language sql as $$
  insert into auth.users (id, email, raw_app_meta_data, raw_user_meta_data)
  select id, id || '@staff.example', jsonb_build_object('org_id', p_org::text, 'role', 'agent'), '{}'
  from (select gen_random_uuid() as id from generate_series(1, p_agents)) as made
$$;
