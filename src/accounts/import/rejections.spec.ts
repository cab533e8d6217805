import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rejections, type Rejection } from './rejections';

const rejection = (line: number): Rejection => ({
  line,
  errors: [{ field: 'currency', message: 'x'.repeat(600_000) }],
});

describe('Rejections', () => {
  it('keeps every one in order, also those beyond a megabyte', async () => {
    const rejections = new Rejections();
    try {
      for (const line of [1, 2, 3, 4, 5]) await rejections.add(rejection(line));
      let text = '';
      for await (const part of rejections.read()) text += String(part);
      expect((JSON.parse(`[${text}]`) as Rejection[]).map(({ line }) => line)).toEqual([1, 2, 3, 4, 5]);
    } finally {
      await rejections.dispose();
    }
  });

  it('tells the one who adds, and nobody else, that they cannot be written down', async () => {
    // Where the file is to be stands a folder.
    const rejections = new Rejections(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'rejections-'));
      await mkdir(join(folder, 'rejected'));
      return folder;
    });
    try {
      await rejections.add(rejection(1));
      await expect(rejections.add(rejection(2))).rejects.toThrow('EISDIR');
    } finally {
      await rejections.dispose();
    }
  });
});
