import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../../src/database/embedded-postgres';
import { errorMessage } from '../../../src/shared/error-code';

/**
 * Stands for a gateway with embedded Postgres: prints `ready {json}`, then `committed <n>` for every row it has committed,
 * until SIGTERM, at which it stops Postgres and ends.
 */
async function main(): Promise<void> {
  const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '' });
  const client = new Client({ connectionString: postgres.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('create table if not exists load (n bigint generated always as identity primary key)');
  const ended = new Promise<void>((resolve) => process.once('SIGTERM', resolve));
  process.stdout.write(`ready ${JSON.stringify({ url: postgres.url, adopted: postgres.adopted })}\n`);
  await Promise.race([ended, commitRows(client)]);
  await ended;
  await client.end().catch(() => undefined);
  await postgres.stop();
}

/** Ends when the session does. */
async function commitRows(client: Client): Promise<void> {
  for (;;) {
    try {
      const { rows } = await client.query<{ n: string }>('insert into load default values returning n');
      process.stdout.write(`committed ${rows[0]?.n ?? ''}\n`);
    } catch {
      return;
    }
  }
}

main().catch((error: unknown) => {
  process.stdout.write(`problem ${errorMessage(error)}\n`);
  process.exitCode = 1;
});
