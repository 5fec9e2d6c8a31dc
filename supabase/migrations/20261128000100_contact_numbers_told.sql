-- The numbers of contacts that an event leaves come back with it: the program keeps them (voxanne/services/contacts.py), and the
-- next look at the leads page asks for nothing.

-- As before (20261127000200_call_events.sql), and where the event has a contact its result holds "contact_stats" as well.
create or replace function public.apply_call_event(p_org_id uuid, p_event jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  done jsonb;
begin
  begin
    done := public.apply_call_event_once(p_org_id, p_event);
  exception when unique_violation or deadlock_detected or foreign_key_violation then
    done := public.apply_call_event_once(p_org_id, p_event);
  end;
  if jsonb_typeof(p_event -> 'contact') = 'object' then -- a statement of its own: within the one above it would not see the change
    done := done || jsonb_build_object('contact_stats', public.contact_stats(p_org_id));
  end if;
  return done;
end
$$;
