import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SCRIPT = join(__dirname, '..', '..', 'scripts', 'build-if-stale.mjs');

/** The flags that `npm start` gives to Node, read from the script so that a change of them is measured. */
export function startFlags(): string[] {
  const [, list] = /^const FLAGS = \[([^\]]*)\]/m.exec(readFileSync(SCRIPT, 'utf8')) ?? [];
  const flags = [...(list ?? '').matchAll(/'([^']+)'/g)].flatMap(([, flag]) => flag ?? []);
  if (flags.length === 0) throw new Error(`no FLAGS in ${SCRIPT}`);
  return flags;
}
