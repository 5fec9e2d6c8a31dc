-- NaN counts as greater than any number, so the check for 0 let it through; and no sum gets rid of it again: one call that a member
-- wrote with it broke the organisation's dashboard for good.
alter table public.call_logs add constraint value_is_number check (financial_value <> 'NaN') not valid;
alter table public.calls add constraint value_is_number check (financial_value <> 'NaN') not valid;
update public.call_logs set financial_value = 0 where financial_value = 'NaN';
update public.calls set financial_value = 0 where financial_value = 'NaN';
select public.rebuild_rollups_of(id)
from (select distinct org_id as id from public.call_rollups where total_value = 'NaN' order by org_id) as organization;
