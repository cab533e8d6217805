// npm start: builds where dist/ is missing or older than the sources, then runs the gateway with its environment.
import { become, buildIfStale } from './build-if-stale.mjs';

buildIfStale('main.js');
become('main.js');
