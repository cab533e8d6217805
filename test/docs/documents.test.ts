import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { getMetadataStorage } from 'class-validator';
import { MEASURES } from '../../bench/measures';
import { VERDICT_TABLE } from '../../src/amlyze/verdict-table';
import { READING_OUTCOMES } from '../../src/balances/outcome';
import { VERDICTS } from '../../src/outbox/attempt';
import { RECORD_STATES } from '../../src/outbox/record-state';
import { MyposSettings } from '../../src/providers/mypos/mypos.settings';
import { OneSingleViewSettings } from '../../src/providers/onesingleview/onesingleview.settings';
import { Metrics } from '../../src/shared/metrics';

const root = join(__dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function markdownBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join(folder, path));
}

const documents = [...readdirSync(root).filter((name) => name.endsWith('.md')), ...markdownBelow('docs')];

/** First cells of the tables below a heading, as text without code marks. */
function firstCells(path: string, heading: string): string[] {
  const lines = read(path).split('\n');
  const start = lines.findIndex((line) => line === heading);
  const level = /^#+ /.exec(heading)?.[0].length ?? 0;
  const length = lines.slice(start + 1).findIndex((line) => {
    const marks = /^#+ /.exec(line)?.[0];
    return marks !== undefined && marks.length <= level;
  });
  const section = start < 0 ? [] : lines.slice(start + 1, length < 0 ? undefined : start + 1 + length);
  return section.flatMap((line) => {
    const cell = /^\| +([^|]+?) +\|/.exec(line)?.[1];
    return cell === undefined || /^-+$/.test(cell) ? [] : [cell.replace(/`/g, '')];
  });
}

/** The anchor that GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

function linksOf(path: string): { target: string; anchor: string | undefined }[] {
  const text = read(path).replace(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, target = '', anchor]) => ({
    target: target === '' ? path : relative(root, resolve(root, dirname(path), target)),
    anchor,
  }));
}

describe('the documents', () => {
  it.each(documents)('%s links only to files and headings that exist', (path) => {
    for (const { target, anchor } of linksOf(path)) {
      expect({ target, exists: existsSync(join(root, target)) }).toEqual({ target, exists: true });
      if (anchor === undefined) continue;
      const anchors = [...read(target).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
      expect(anchors).toContain(anchor);
    }
  });

  it('explain every outcome of a reading in the README, in the order of the code', () => {
    const [, ...outcomes] = firstCells('README.md', '### By outcome of a reading');
    expect(outcomes).toEqual(READING_OUTCOMES);
  });

  it('explain every state of a record in the README and in the architecture', () => {
    const [, ...inReadme] = firstCells('README.md', '### By state of a record');
    expect([...new Set(inReadme)].sort()).toEqual([...RECORD_STATES].sort());
    const [, ...inArchitecture] = firstCells('docs/architecture.md', '## States of a record');
    expect(inArchitecture).toEqual(RECORD_STATES);
  });

  it('explain every reason that the verdict table gives to a settled record', () => {
    const { length } = VERDICT_TABLE;
    expect(length).toBeGreaterThan(0);
    const reasons = VERDICT_TABLE.flatMap((row) => {
      const columns = [row, row.afterRejection, row.afterCollision].filter((some) => some !== undefined);
      return columns.flatMap(({ withoutDoubt, withDoubt }) => [withoutDoubt, withDoubt]);
    }).flatMap((decision) => (decision.about === 'record' && decision.verdict !== 'in-doubt' ? [decision.reason] : []));
    const section = read('README.md').slice(read('README.md').indexOf('### By state of a record'));
    for (const reason of new Set(reasons)) {
      if (reason !== undefined) expect(section).toContain(`\`${reason}\``);
    }
  });

  it('name the rows of the verdict table, all of them and no other', () => {
    const cells = firstCells('docs/verdicts.md', '## AMLYZE');
    const named = cells.filter((cell) => cell !== 'row' && !cell.startsWith('… after '));
    expect(named.sort()).toEqual(VERDICT_TABLE.map(({ name }) => name).sort());
  });

  it('explain every verdict of the log, in the order of the code', () => {
    const [, ...verdicts] = firstCells('docs/verdicts.md', '## In the log');
    expect(verdicts).toEqual(VERDICTS);
  });

  it('say how every measure of the bench is taken, in its order, and of no other', () => {
    const [, ...listed] = firstCells('docs/performance.md', '## How it is measured');
    const references = listed.indexOf('reference');
    expect(listed.slice(0, references)).toEqual(MEASURES.map(({ name }) => name));
  });

  it('list every metric of ours in the run book, and no other', () => {
    const listed = read('docs/operations.md').matchAll(/^\| `(gateway_[a-z_]+)/gm);
    const ours = new Metrics().registry.getMetricsAsArray().map(({ name }) => name);
    expect([...listed].map(([, name]) => name).sort()).toEqual(
      ours.filter((name) => name.startsWith('gateway_')).sort(),
    );
  });

  it('list every setting of a connection in the run book, and no other', () => {
    const [, table = ''] =
      /^All that a connection can be told;([\s\S]*?)^Secrets:/m.exec(read('docs/operations.md')) ?? [];
    const listed = [...table.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    const known = [MyposSettings, OneSingleViewSettings].flatMap((settings) =>
      getMetadataStorage()
        .getTargetValidationMetadatas(settings, '', true, false)
        .map(({ propertyName }) => propertyName),
    );
    expect(listed.sort()).toEqual([...new Set(known)].sort());
  });

  it('list every table of the migrations in the architecture, and no other', () => {
    const tables = new Set<string>();
    for (const file of readdirSync(join(root, 'migrations')).sort()) {
      const [up = ''] = read(join('migrations', file)).split('-- migrate:down');
      for (const [, verb, name = ''] of up.matchAll(/^(create|drop) table (\w+)/gm)) {
        if (verb === 'create') tables.add(name);
        else tables.delete(name);
      }
    }
    const [, ...listed] = firstCells('docs/architecture.md', '## What is stored where');
    expect(listed.filter((name) => name !== 'migration').sort()).toEqual([...tables].sort());
  });

  it('say where the code of a folder is, for every folder of src', () => {
    const [, ...listed] = firstCells('docs/architecture.md', '## The house');
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [`${entry.name}/`] : [],
    );
    expect(listed.filter((name) => name !== 'migrations/').sort()).toEqual(folders.sort());
  });
});
