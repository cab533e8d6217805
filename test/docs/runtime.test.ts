import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRuntime } from '../support/start-runtime';

describe('what Node gets', () => {
  const { flags, env } = startRuntime();

  it('limits the heap', () => {
    expect(flags).toEqual(expect.arrayContaining([expect.stringMatching(/^--max-old-space-size=\d+$/)]));
  });

  it('is the same in the image as with npm start', () => {
    const dockerfile = readFileSync(join(__dirname, '..', '..', 'Dockerfile'), 'utf8');
    const [, command = '[]'] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
    expect(JSON.parse(command)).toEqual(['node', ...flags, 'dist/main.js']);
    const [, variables = ''] = /^ENV (NODE_ENV=.*)$/m.exec(dockerfile) ?? [];
    expect(variables.split(' ')).toEqual(
      expect.arrayContaining(Object.entries(env).map(([name, value]) => `${name}=${value}`)),
    );
  });
});
