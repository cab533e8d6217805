import { Facts, groupBy, ofKind, type BankRequest, type Evidence, type Finding } from './evidence';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Reads of a balance; tokens and consents are no reads. */
const isRead = ({ path }: BankRequest): boolean => /\/balances$|\/balanceById$/.test(path);

/** I6: one run a slot, each account once in it, every read of a bank committed before its call and within the budget. */
export function lawfulReads({ gateway, bankRequests }: Evidence): Finding {
  const facts = new Facts('I6');
  const slots = groupBy(
    gateway.runs.filter(({ slot }) => slot !== null),
    ({ slot }) => String(slot),
  );
  for (const [slot, runs] of slots) facts.hold(runs.length === 1, () => `slot ${slot} has ${runs.length} runs`);
  for (const [key, rows] of groupBy(
    gateway.runAccounts,
    ({ runId, slot, accountId }) => `${slot ?? `run ${runId}`}, account ${accountId}`,
  )) {
    facts.hold(rows.length === 1, () => `${key} is served ${rows.length} times`);
  }
  const granted = new Map(gateway.reads.map((read) => [read.requestId.toLowerCase(), read]));
  const reads = bankRequests.filter(isRead);
  for (const [requestId, same] of groupBy(reads, (request) => request.requestId.toLowerCase())) {
    // A connection that broke before the request was read shows no id.
    if (requestId === '') continue;
    facts.hold(same.length === 1, () => `the bank was asked ${same.length} times with request id ${requestId}`);
    facts.hold(granted.has(requestId), () => `the bank was asked with ${requestId}, which is in no ledger row`);
  }
  const bySubject = groupBy(
    reads.flatMap((request) => {
      const read = granted.get(request.requestId.toLowerCase());
      return read ? [{ ...read, atMs: Date.parse(request.at) }] : [];
    }),
    ({ subjectId }) => subjectId,
  );
  for (const [subjectId, all] of bySubject) {
    const times = all.map(({ atMs }) => atMs).sort((a, b) => a - b);
    const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + DAY_MS).length));
    const allowed = all[0]?.perDay ?? 0;
    facts.hold(
      most <= allowed,
      () => `subject ${subjectId} was read ${most} times in 24 hours, ${allowed} are allowed`,
    );
  }
  return facts.finding();
}

/** I7: attempts, calls in flight and memory stay within their limits. */
export function bounded({ gateway, history }: Evidence): Finding {
  const facts = new Facts('I7');
  const limits = ofKind(history, 'limits').at(-1)?.limits;
  if (!limits) return facts.finding();
  for (const { number, attempts } of gateway.records) {
    facts.hold(
      attempts <= limits.amlyzeMaxAttempts,
      () => `${number} was charged with ${attempts} attempts, ${limits.amlyzeMaxAttempts} are allowed`,
    );
  }
  const allowed = limits.replicas * limits.amlyzeConcurrency;
  const open = new Set<number>();
  let most = 0;
  for (const line of history) {
    if (line.kind === 'call' && line.to === 'amlyze') open.add(line.call);
    if (line.kind === 'return') open.delete(line.call);
    most = Math.max(most, open.size);
  }
  facts.hold(most <= allowed, () => `${most} calls to AMLYZE were in flight, ${allowed} are allowed`);
  for (const { replica, rssBytes } of ofKind(history, 'memory')) {
    facts.hold(rssBytes <= limits.rssBytes, () => `replica ${replica} took ${Math.round(rssBytes / 2 ** 20)} MB`);
  }
  return facts.finding();
}

/** I8: one log row for each record of each attempt, and no send without an attempt. */
export function everyAttemptLogged({ gateway, history }: Evidence): Finding {
  const facts = new Facts('I8');
  const rows = groupBy(
    gateway.results.filter(({ late }) => !late),
    ({ attemptId }) => attemptId,
  );
  for (const { id, records, finishedAt } of gateway.attempts) {
    const logged = rows.get(id) ?? [];
    facts.hold(
      logged.length === records && new Set(logged.map(({ recordId }) => recordId)).size === records,
      () => `attempt ${id} sent ${records} records and has ${logged.length} log rows`,
    );
    facts.hold(finishedAt !== null, () => `attempt ${id} has no end`);
  }
  const attempts = groupBy([...rows.values()].flat(), ({ recordId }) => recordId);
  const sends = groupBy(
    ofKind(history, 'call').flatMap(({ items }) => items ?? []),
    ({ number }) => number,
  );
  for (const { id, number, state } of gateway.records) {
    const logged = attempts.get(id) ?? [];
    const sent = sends.get(number)?.length ?? 0;
    facts.hold(sent <= logged.length, () => `${number} was sent ${sent} times and has ${logged.length} log rows`);
    const yes = logged.filter(({ verdict }) => verdict === 'accepted').length;
    if (state === 'accepted')
      facts.hold(yes === 1, () => `${number} is accepted and has ${yes} such verdicts in the log`);
  }
  return facts.finding();
}

/** I9: a healthy provider's reads, and their delivery, were quick while another was broken. */
export function isolated({ gateway, history }: Evidence): Finding {
  const facts = new Facts('I9');
  const settled = new Map(gateway.records.map(({ number, settledAt }) => [number, settledAt]));
  for (const { connectionId, p95Ms, from, to } of ofKind(history, 'bound')) {
    const delays = gateway.readings.flatMap((reading) => {
      const { runStartedAt, fetchedAt, number } = reading;
      if (reading.connectionId !== connectionId || runStartedAt === null) return [];
      if (runStartedAt < new Date(from) || runStartedAt > new Date(to)) return [];
      const end = (number === null ? undefined : settled.get(number)) ?? fetchedAt;
      return [end.getTime() - runStartedAt.getTime()];
    });
    const p95 = delays.sort((a, b) => a - b)[Math.ceil(delays.length * 0.95) - 1];
    facts.hold(
      p95 !== undefined && p95 <= p95Ms,
      () => `connection ${connectionId}: 95 of 100 balances within ${p95 ?? 'no'} ms, ${p95Ms} are allowed`,
    );
  }
  return facts.finding();
}

/** I10: everything was settled within the time given after the last fault had gone. */
export function drained({ gateway, history }: Evidence): Finding {
  const facts = new Facts('I10');
  const healed = ofKind(history, 'healed').at(-1);
  if (!healed) return facts.finding();
  const end = Date.parse(healed.at) + healed.withinMs;
  for (const { number, state, settledAt, createdAt } of gateway.records) {
    // What was made after that has its own time.
    const dueMs = Math.max(end, createdAt.getTime() + healed.withinMs);
    const inTime = settledAt !== null && settledAt.getTime() <= dueMs;
    facts.hold(
      inTime,
      () => `${number} is ${state}, ${healed.withinMs} ms after the end of the faults it was not settled`,
    );
  }
  for (const { id, startedAt, finishedAt } of gateway.runs) {
    const dueMs = Math.max(end, startedAt.getTime() + healed.withinMs);
    facts.hold(finishedAt !== null && finishedAt.getTime() <= dueMs, () => `run ${id} was not finished in time`);
  }
  return facts.finding();
}
