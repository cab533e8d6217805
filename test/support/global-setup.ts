import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { openDataSource } from '../../src/database/data-source';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres';
import { migrate } from '../../src/database/migrations';
import { TEMPLATE, TEST_POSTGRES_URL, withDatabase } from './cluster';

declare global {
  var stopTestPostgres: (() => Promise<void>) | undefined;
}

/** One Postgres for the whole run, in a folder of its own, with a migrated template database. */
export default async function globalSetup(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  // mkdtemp makes it 700; as root the server runs as another user, who has to pass.
  chmodSync(dataDir, 0o711);
  const server = await startEmbeddedPostgres({ dataDir });
  globalThis.stopTestPostgres = async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  process.env[TEST_POSTGRES_URL] = server.url;
  // An interrupted run ends its server too: it is signalled when this process exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

  const client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query(`create database ${TEMPLATE}`);
  await client.end();
  const dataSource = await openDataSource({
    url: withDatabase(server.url, TEMPLATE),
    applicationName: 'test-template',
  });
  await migrate(dataSource);
  await dataSource.destroy();
}
