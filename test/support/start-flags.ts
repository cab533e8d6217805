import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(__dirname, '..', '..', 'scripts', 'node-flags.json');

/** The flags that `npm start` gives to Node: what is tested and measured runs as an operator's does. */
export function startFlags(): string[] {
  return JSON.parse(readFileSync(FILE, 'utf8')) as string[]; // our own file
}
