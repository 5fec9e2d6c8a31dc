-- For `flask rollups`: a recount of a million calls takes longer than ordinary requests may. PostgREST applies this to the whole request.
alter function public.rollup_drift(uuid) set statement_timeout = '5min';
alter function public.rebuild_rollups(uuid) set statement_timeout = '5min';
