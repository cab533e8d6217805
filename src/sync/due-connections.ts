import type { Queryable } from '../shared/database';

const DUE_CONNECTIONS = {
  name: 'sync-due-connections',
  text: `
with recursive open_connection as (
  (select connection_id from waiting_account where connection_id > 0 order by connection_id limit 1)
  union all
  select (select s.connection_id from waiting_account s where s.connection_id > o.connection_id and s.connection_id > 0
          order by s.connection_id limit 1)
  from open_connection o where o.connection_id is not null
)
select connection_id from open_connection o
where connection_id is not null
  and (select true from waiting_account d where d.connection_id = o.connection_id and d.connection_id > 0 and d.due_at <= now() limit 1)`,
};

/** Connections with accounts that are due now. One index step a connection, however many accounts wait. */
export async function findDueConnections(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ connection_id: string }>(DUE_CONNECTIONS);
  return rows.map((row) => row.connection_id);
}
