/**
 * Imported first by every program: traces name lines of our TypeScript. The maps of packages are left alone, since the
 * flag `--enable-source-maps` would keep all of them in memory, 10 MB for nothing.
 */
import { setSourceMapsSupport } from 'node:module';

setSourceMapsSupport(true, { nodeModules: false });
