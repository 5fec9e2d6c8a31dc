-- PostgREST prepares its statements. From the sixth use on, Postgres may run one plan for all parameters, and that plan can
-- neither leave out the table that a call_type rules out nor tell a clinic of a million calls from one of a thousand: it was
-- measured at 160 ms where the plan for the actual values takes 17. PostgREST applies this to each of the role's requests.
alter role authenticated set plan_cache_mode = 'force_custom_plan';
notify pgrst, 'reload config';
