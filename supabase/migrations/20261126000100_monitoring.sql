-- What the platform's operators read of the database itself: for the server only, and never a row of an organisation.

-- The slowest statements by their mean time, from pg_stat_statements where that extension is installed and loaded.
-- Only statements whose constants the extension takes out; the others (create role ... password '...') stay unsaid.
create function public.slow_queries(p_min_mean_ms double precision, p_limit int) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  home text;
  found jsonb;
begin
  select n.nspname into home
  from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'pg_stat_statements';
  if home is null then
    return pg_catalog.jsonb_build_object('missing', 'not installed');
  end if;
  -- By its name in a string: a function that named the view could not be made where there is no such extension.
  execute pg_catalog.format($query$
    with recorded as (
      select s.queryid, pg_catalog.min(s.query) as query, pg_catalog.sum(s.calls) as calls,
        pg_catalog.sum(s.total_exec_time) as total_ms, pg_catalog.max(s.max_exec_time) as max_ms,
        pg_catalog.sum(s.rows) as row_count
      from %1$I.pg_stat_statements s
      where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
        and s.queryid is not null
      group by s.queryid
    ), slow as (
      select * from recorded
      where calls > 0 and total_ms / calls > $1
        and query ~* '^\s*(/\*.*?\*/\s*)*(select|insert|update|delete|merge|with)\M'
      order by total_ms / calls desc, queryid
      limit $2
    )
    select pg_catalog.jsonb_build_object(
      'since', (select stats_reset from %1$I.pg_stat_statements_info),
      'statements', (select pg_catalog.count(*) from recorded),
      'total_ms', (select coalesce(pg_catalog.sum(total_ms), 0) from recorded),
      'queries', coalesce((
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
          'id', queryid::text, 'query', query, 'calls', calls, 'total_ms', total_ms, 'max_ms', max_ms, 'rows', row_count
        ) order by total_ms / calls desc, queryid)
        from slow
      ), '[]')
    )
  $query$, home) into found using p_min_mean_ms, p_limit;
  return found;
exception
  -- The view is there, but Postgres was started without the library behind it.
  when object_not_in_prerequisite_state then
    return pg_catalog.jsonb_build_object('missing', 'not loaded');
end
$$;

-- Size, connections, and how tables and indexes are used since the statistics were last reset.
create function public.database_state() returns jsonb
language sql volatile security definer set search_path = ''
as $$
  with connections as (
    select state from pg_catalog.pg_stat_activity where backend_type = 'client backend'
  ), tables as (
    select t.*, pg_catalog.pg_total_relation_size(t.relid) as size_bytes, pg_catalog.pg_indexes_size(t.relid) as index_bytes,
      -- When autovacuum would be due: more dead rows than that mean that it does not keep up.
      t.n_dead_tup > pg_catalog.current_setting('autovacuum_vacuum_threshold')::float8
        + pg_catalog.current_setting('autovacuum_vacuum_scale_factor')::float8 * t.n_live_tup as needs_vacuum
    from pg_catalog.pg_stat_user_tables t
    where t.schemaname = 'public'
  ), unused as (
    select i.relname, i.indexrelname, pg_catalog.pg_relation_size(i.indexrelid) as size_bytes
    from pg_catalog.pg_stat_user_indexes i
    join pg_catalog.pg_index x on x.indexrelid = i.indexrelid
    where i.schemaname = 'public' and i.idx_scan = 0 and not x.indisunique
      and not exists (select from pg_catalog.pg_constraint c where c.conindid = i.indexrelid)
  )
  select pg_catalog.jsonb_build_object(
    'version', pg_catalog.current_setting('server_version'),
    'since', d.stats_reset,
    'size_bytes', pg_catalog.pg_database_size(d.datid),
    'blocks_hit', d.blks_hit,
    'blocks_read', d.blks_read,
    'connections', (
      select pg_catalog.jsonb_build_object(
        'used', pg_catalog.count(*),
        'active', pg_catalog.count(*) filter (where state = 'active'),
        'idle', pg_catalog.count(*) filter (where state = 'idle'),
        'idle_in_transaction', pg_catalog.count(*) filter (where state like 'idle in transaction%'),
        'limit', pg_catalog.current_setting('max_connections')::int
      ) from connections
    ),
    'tables', coalesce((
      select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', relname, 'rows', n_live_tup, 'size_bytes', size_bytes, 'index_bytes', index_bytes,
        'sequential_scans', seq_scan, 'sequential_rows', seq_tup_read, 'index_scans', coalesce(idx_scan, 0),
        'dead_rows', n_dead_tup, 'last_vacuum', greatest(last_vacuum, last_autovacuum),
        'last_analyze', greatest(last_analyze, last_autoanalyze), 'needs_vacuum', needs_vacuum
      ) order by size_bytes desc, relname)
      from tables
    ), '[]'),
    'unused_indexes', coalesce((
      select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'table', relname, 'name', indexrelname, 'size_bytes', size_bytes
      ) order by size_bytes desc, indexrelname)
      from unused
    ), '[]')
  )
  from pg_catalog.pg_stat_database d
  where d.datname = pg_catalog.current_database()
$$;

-- The few numbers that Prometheus asks for every few seconds.
create function public.database_gauges() returns jsonb
language sql volatile security definer set search_path = ''
as $$
  select pg_catalog.jsonb_build_object(
    'size_bytes', pg_catalog.pg_database_size(pg_catalog.current_database()),
    'connections', (select pg_catalog.count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend'),
    'connections_limit', pg_catalog.current_setting('max_connections')::int
  )
$$;

revoke execute on function public.slow_queries(double precision, int), public.database_state(), public.database_gauges()
  from public, anon, authenticated;
grant execute on function public.slow_queries(double precision, int), public.database_state(), public.database_gauges()
  to service_role;
