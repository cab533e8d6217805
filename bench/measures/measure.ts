import type { Figure } from '../figure';
import type { Options } from '../options';
import type { BenchRig } from '../rig/bench-rig';

export interface Measured {
  figures: Figure[];
  /** Why the figures must not be believed. */
  voids: string[];
}

/** One group of figures. */
export interface Measure {
  name: string;
  /** In every run, in a whole one only, or only where it is named (`--only`): what the whole run has no time for. */
  partOf: 'every-run' | 'whole-run' | 'named-run';
  take(rig: BenchRig, options: Options): Promise<Measured>;
}

/** What a replica may hold in memory, in every case. */
export const PEAK_RSS_MB = 250;

/** The figure that every case has. */
export function peakRss(megabytes: readonly number[]): Figure {
  return { name: 'peak RSS of a replica', unit: 'MB', rounds: megabytes, target: { atMost: PEAK_RSS_MB } };
}
