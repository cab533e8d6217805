import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Environment } from './environment';
import { declaredVariables } from './variable';

const readme = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8');
const [, section = ''] = /^## Configuration\n([\s\S]*?)^## /m.exec(readme) ?? [];

/** Variable -> the text of its default, as the table shows it. */
const shown = new Map(
  section.split('\n').flatMap((line) => {
    const [, name, value] = /^\| `([A-Z_]+)` +\| (.+?) +\| \S/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  }),
);

/** What has no default in the class, and how the table says that. */
const WITHOUT_DEFAULT = new Set(['none', 'required', 'generated']);

/** Defaults that are written otherwise than the class keeps them. */
const WRITTEN: Readonly<Record<string, string>> = { cardDataRetention: '24h' };

function defaultText(value: unknown): string | undefined {
  if (Array.isArray(value) && value.length > 0) return `\`${value.join(',')}\``;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return `\`${value}\``;
  if (typeof value === 'object' && value !== null && 'method' in value && 'path' in value) {
    return `\`${String(value.method)} ${String(value.path)}\``;
  }
  return undefined;
}

describe("README's configuration table", () => {
  it('has every variable of the environment once, in the order of the class, and no other', () => {
    expect([...shown.keys()]).toEqual([...declaredVariables().values()]);
  });

  it.each([...declaredVariables()])('shows the default that the class gives to %s', (property, name) => {
    const value = defaultText(WRITTEN[property] ?? new Map(Object.entries(new Environment())).get(property));
    if (value === undefined) expect(WITHOUT_DEFAULT).toContain(shown.get(name));
    else expect(shown.get(name)).toBe(value);
  });
});
