import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './figure';
import { failures, table, writeJson, type Finding } from './report';

const finding = (figures: Figure[], voids: string[] = []): Finding => ({
  measure: 'throughput',
  figures,
  voids,
  seconds: 1,
});
const ratio = (...rounds: number[]): Figure => ({ name: 'gateway ÷ loop', unit: '', rounds, target: { atLeast: 0.9 } });

describe('failures', () => {
  it('are none where targets are met or nearly met', () => {
    expect(failures([finding([ratio(0.95)]), finding([ratio(0.6)])])).toEqual([]);
  });

  it('name the figure whose median is far from its target', () => {
    expect(failures([finding([ratio(0.4, 0.5, 0.9)])])).toEqual(['throughput: gateway ÷ loop is 0.5, far from ≥ 0.9']);
  });

  it('name a measure whose figures must not be believed, however good they are', () => {
    expect(failures([finding([ratio(2)], ['weak reference'])])).toEqual(['throughput is void: weak reference']);
  });
});

describe('table', () => {
  it('has a line for each figure, with its target and whether it is met', () => {
    const [head, line] = table([finding([ratio(1, 2, 3)])]).split('\n');
    expect(head?.split(/ {2,}/)).toEqual(['measure', 'figure', 'median', 'min', 'max', 'unit', 'target']);
    expect(line?.split(/ {2,}/)).toEqual(['throughput', 'gateway ÷ loop', '2', '1', '3', '≥ 0.9', 'met']);
  });

  it('says so where a measure is void', () => {
    expect(table([finding([], ['weak reference'])])).toContain('VOID: weak reference');
  });
});

describe('writeJson', () => {
  it('keeps every round with the verdict', () => {
    const folder = mkdtempSync(join(tmpdir(), 'report-'));
    try {
      const file = join(folder, 'in', 'here.json');
      writeJson(file, [finding([ratio(1, 2, 3)])]);
      const { findings } = JSON.parse(readFileSync(file, 'utf8'));
      expect(findings[0].figures[0]).toMatchObject({ rounds: [1, 2, 3], median: 2, min: 1, max: 3, verdict: 'met' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
