// Outlives the suite by a moment: when its input ends, however that came about, it ends the processes that are still noted, the
// stopped ones too, and removes the folders.
const { readdirSync, readFileSync, rmSync } = require('node:fs');
const { createInterface } = require('node:readline');

const pids = new Set();
const folders = new Set();
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [word, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
  if (word === 'process') pids.add(Number(rest));
  if (word === 'gone') pids.delete(Number(rest));
  if (word === 'folder') folders.add(rest);
});
lines.on('close', () => {
  // Postgres' sessions are no group, and a stopped one would not see its server die.
  for (const pid of [...pids].flatMap((noted) => [noted, ...childrenOf(noted)])) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
  setTimeout(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }, 300);
});

function childrenOf(pid) {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
      .map(Number);
  } catch {
    return [];
  }
}

function parentOf(pid) {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}
