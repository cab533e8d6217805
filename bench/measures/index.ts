import { backlog } from './backlog';
import { coldStart } from './cold-start';
import { fleet } from './fleet';
import { history } from './history';
import { imports } from './imports';
import { lists } from './lists';
import type { Measure } from './measure';
import { operations } from './operations';
import { saturated } from './saturated';
import { slowBanks } from './slow-banks';
import { throughput } from './throughput';

/** In the order in which they are taken. */
export const MEASURES: readonly Measure[] = [
  throughput,
  saturated,
  slowBanks,
  history,
  lists,
  backlog,
  coldStart,
  fleet,
  imports,
  operations,
];
