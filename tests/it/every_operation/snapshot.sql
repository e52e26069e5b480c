-- What is in every table is kept beside it, so that it can be put back and compared. What is counted without a request that
-- waits for it is left out: looks.
CREATE SCHEMA before;

CREATE FUNCTION public.stays_undone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.run_at := now() + interval '10 years';
    RETURN new;
END $$;
CREATE TRIGGER stays_undone BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION public.stays_undone();

DO $$
DECLARE
    called text;
    columns text;
    putting text := '';
    seeing text := '';
BEGIN
    FOR called, columns IN
        SELECT c.table_name, string_agg(quote_ident(c.column_name), ', ' ORDER BY c.ordinal_position)
        FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
            AND c.table_name NOT IN ('schema_meta', 'refinery_schema_history')
        GROUP BY c.table_name
    LOOP
        EXECUTE format('CREATE TABLE before.%I AS SELECT %s FROM public.%I', called, columns, called);
        putting := putting || format('DELETE FROM public.%I; INSERT INTO public.%I (%s) SELECT * FROM before.%I; ',
            called, called, columns, called);
        seeing := seeing || format(' + (SELECT coalesce(sum(hashtextextended((to_jsonb(x) - %L)::text, 0)::numeric), 0)
            FROM public.%I x)', 'views_count', called);
    END LOOP;
    EXECUTE format('CREATE FUNCTION before.restore() RETURNS void LANGUAGE plpgsql
        SET session_replication_role = replica AS %L', 'BEGIN ' || putting || 'END');
    EXECUTE format('CREATE FUNCTION before.fingerprint() RETURNS bigint LANGUAGE sql AS %L',
        'SELECT ((0::numeric' || seeing || ') % 9223372036854775807)::bigint');
END $$;
