import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { judge, summarise, type Figure, type Target } from './figure';

/** What a measure found. `voids`: why its figures must not be believed. */
export interface Finding {
  measure: string;
  figures: readonly Figure[];
  voids: readonly string[];
  seconds: number;
}

const HEADERS = ['measure', 'figure', 'median', 'min', 'max', 'unit', 'target', ''] as const;

/** The figures as a table of text. */
export function table(findings: readonly Finding[]): string {
  const rows = findings.flatMap(({ measure, figures, voids }) => [
    ...figures.map((figure) => toRow(measure, figure)),
    ...voids.map((reason) => [measure, `VOID: ${reason}`, '', '', '', '', '', '']),
  ]);
  const lines = [[...HEADERS], ...rows];
  const widths = HEADERS.map((_, at) =>
    Math.max(
      ...lines.filter((line) => line[1]?.startsWith('VOID') !== true || at === 0).map((l) => l[at]?.length ?? 0),
    ),
  );
  const numeric = (at: number): boolean => at >= 2 && at <= 4;
  return lines
    .map((line) =>
      line
        .map((cell, at) => (numeric(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Sentences about all that makes the run a failure. */
export function failures(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ measure, figures, voids }) => [
    ...voids.map((reason) => `${measure} is void: ${reason}`),
    ...figures
      .filter((figure) => judge(figure) === 'failed')
      .map(
        (f) =>
          `${measure}: ${f.name} is ${[show(summarise(f).median), f.unit].join(' ').trim()}, far from ${showTarget(f.target)}`,
      ),
  ]);
}

/** Writes everything, round by round, with the machine it was measured on. */
export function writeJson(file: string, findings: readonly Finding[]): void {
  const [cpu] = cpus();
  const report = {
    at: new Date().toISOString(),
    machine: { cores: cpus().length, cpu: cpu?.model ?? '', memoryBytes: totalmem(), node: process.version },
    findings: findings.map((finding) => ({
      ...finding,
      figures: finding.figures.map((figure) => ({ ...figure, ...summarise(figure), verdict: judge(figure) })),
    })),
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

function toRow(measure: string, figure: Figure): string[] {
  const { median, min, max } = summarise(figure);
  const verdict = judge(figure);
  return [
    measure,
    figure.name,
    show(median),
    show(min),
    show(max),
    figure.unit,
    showTarget(figure.target),
    verdict === 'no target' ? '' : verdict,
  ];
}

function showTarget(target: Target | undefined): string {
  if (target === undefined) return '';
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** Three digits are more than a busy machine repeats. */
function show(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
