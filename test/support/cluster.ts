/** Where globalSetup leaves what the workers need to reach the one Postgres of this test run. */
export const TEST_POSTGRES_URL = 'TEST_POSTGRES_URL';

/** Migrated once, cloned by every createTestDatabase. */
export const TEMPLATE = 'template_migrated';

export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.toString();
}
