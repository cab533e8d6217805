import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guardian } from './guardian';

/** Stands for a suite: notes a sleeping process that is stopped, and a folder, says so, and waits to be ended. */
const guardian = new Guardian();
const folder = mkdtempSync(join(tmpdir(), 'guarded-'));
const sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
const pid = sleeper.pid ?? 0;
guardian.note(pid);
guardian.removes(folder);
process.kill(pid, 'SIGSTOP');
process.stdout.write(`ready ${JSON.stringify({ pid, folder })}\n`);
setInterval(() => undefined, 1_000);
