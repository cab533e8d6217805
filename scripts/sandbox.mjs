// npm run sandbox: builds where dist/ is missing or older than the sources, then runs the sandbox.
import { become, buildIfStale } from './build-if-stale.mjs';

buildIfStale('sandbox.js');
become('sandbox.js');
