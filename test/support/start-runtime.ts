import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(__dirname, '..', '..', 'scripts', 'runtime.json');

/** What `npm start` gives to Node beside the operator's environment: what is tested and measured runs as an operator's does. */
export function startRuntime(): { flags: string[]; env: Record<string, string> } {
  return JSON.parse(readFileSync(FILE, 'utf8')) as ReturnType<typeof startRuntime>; // our own file
}
