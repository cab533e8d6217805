import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFlags } from '../support/start-flags';

describe('the flags that Node gets', () => {
  it('limit the heap', () => {
    expect(startFlags()).toEqual(expect.arrayContaining([expect.stringMatching(/^--max-old-space-size=\d+$/)]));
  });

  it('are the same in the image as with npm start', () => {
    const dockerfile = readFileSync(join(__dirname, '..', '..', 'Dockerfile'), 'utf8');
    const [, command = '[]'] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
    expect(JSON.parse(command)).toEqual(['node', ...startFlags(), 'dist/main.js']);
  });
});
