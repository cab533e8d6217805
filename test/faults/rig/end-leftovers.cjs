// Outlives the suite by a moment: when its input ends, however that came about, it ends the processes that are still noted, the
// stopped ones too, and removes the folders.
const { readdirSync, readFileSync, rmSync } = require('node:fs');
const { createInterface } = require('node:readline');

// By pid, the birth of the process that was meant: see birth.ts.
const noted = new Map();
const folders = new Set();
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [word, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
  if (word === 'process') noted.set(Number(rest.split(' ')[0]), rest.split(' ')[1] ?? '');
  if (word === 'gone') noted.delete(Number(rest));
  if (word === 'folder') folders.add(rest);
});
lines.on('close', () => {
  // Postgres' sessions are no group, and a stopped one would not see its server die.
  const pids = [...noted].flatMap(([pid, birth]) => (birth === birthOf(pid) ? [pid] : []));
  for (const pid of pids.flatMap((parent) => [parent, ...childrenOf(parent)])) {
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
  return Number(statOf(pid)[1]);
}

function birthOf(pid) {
  return statOf(pid)[19] ?? '';
}

/** The fields behind the name in brackets. */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
