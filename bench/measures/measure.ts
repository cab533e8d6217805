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
  /** In --quick, or only in a whole run. */
  quick: boolean;
  take(rig: BenchRig, options: Options): Promise<Measured>;
}

/** What a replica may hold in memory, in every case. */
export const PEAK_RSS_MB = 250;

/** The figure that every case has. */
export function peakRss(megabytes: readonly number[]): Figure {
  return { name: 'peak RSS of a replica', unit: 'MB', rounds: megabytes, target: { atMost: PEAK_RSS_MB } };
}
