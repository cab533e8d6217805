import { Facts, groupBy, ofKind, type Evidence, type Finding } from './evidence';

const TERMINAL = new Set(['accepted', 'rejected', 'held', 'exhausted']);

/** I1: no loss. Every due read has an outcome, every reading its record, every record an end. */
export function noLoss({ gateway, history }: Evidence): Finding {
  const facts = new Facts('I1');
  const readings = new Set(gateway.readings.map(({ id }) => id));
  for (const { id, finishedAt } of gateway.runs) facts.hold(finishedAt !== null, () => `run ${id} is not finished`);
  for (const { runId, accountExtId, outcome, readingId } of gateway.runAccounts) {
    facts.hold(
      outcome !== null && readingId !== null && readings.has(readingId),
      () => `run ${runId} has no outcome for ${accountExtId}`,
    );
  }
  const served = groupBy(gateway.runAccounts, ({ runId }) => runId);
  for (const { id, accounts } of gateway.runs) {
    const known = served.get(id)?.length ?? 0;
    facts.hold(
      known === accounts,
      () => `run ${id} has ${accounts} accounts, and ${known} of them an outcome or a place`,
    );
  }
  const concerned = new Set(gateway.runAccounts.map(({ accountExtId }) => accountExtId));
  if (gateway.runs.length > 0) {
    for (const account of new Set(ofKind(history, 'script').map(({ accountExtId }) => accountExtId))) {
      facts.hold(concerned.has(account), () => `${account} was registered and is in no run`);
    }
  }
  const numbers = new Set(gateway.records.map(({ number }) => number));
  for (const { id, outcome, number } of gateway.readings) {
    if (outcome !== 'READ') continue;
    facts.hold(number !== null && numbers.has(number), () => `reading ${id} is READ and has no record`);
  }
  for (const { number, state } of gateway.records) {
    facts.hold(TERMINAL.has(state), () => `${number} is still ${state}`);
  }
  return facts.finding();
}

/** I2: AMLYZE accepted at most one record per business key and revision, and no revision without a cause. */
export function noDoubles({ gateway, ledger }: Evidence): Finding {
  const facts = new Facts('I2');
  for (const [number, entries] of groupBy(ledger, (entry) => entry.communicationNumber)) {
    facts.hold(entries.length === 1, () => `AMLYZE has ${number} ${entries.length} times`);
  }
  const ours = new Map(gateway.records.map((record) => [record.number, record]));
  const accepted = ledger.flatMap((entry) => ours.get(entry.communicationNumber) ?? []);
  const balances = accepted.filter(({ kind }) => kind === 'balance');
  const keys = groupBy(balances, ({ accountId, balanceType, key }) => `${accountId} ${balanceType} ${key}`);
  for (const [key, records] of keys) {
    for (const [revision, same] of groupBy(records, (record) => String(record.revision))) {
      facts.hold(same.length === 1, () => `AMLYZE has ${same.length} records of revision ${revision} of ${key}`);
    }
    const chain = [...records].sort((a, b) => a.revision - b.revision);
    for (const [index, record] of chain.entries()) {
      if (index === 0) continue;
      const caused =
        record.supersedes !== null &&
        (record.supersedesReason === 'forced' ||
          record.supersedesReason === 'new-number' ||
          record.accountExtId !== chain[index - 1]?.accountExtId ||
          record.payloadValue !== chain[index - 1]?.payloadValue);
      facts.hold(caused, () => `${record.number} repeats ${chain[index - 1]?.number} without a cause`);
    }
  }
  // Whatever the database calls it: the same figure for the same account and instant, twice, is a double.
  const contents = groupBy(
    ledger.filter(({ kind }) => kind === 'balance'),
    ({ accountExtId, balanceType, balanceAt, value }) => JSON.stringify([accountExtId, balanceType, balanceAt, value]),
  );
  for (const [content, entries] of contents) {
    const wanted = entries.filter(({ communicationNumber }) => {
      const reason = ours.get(communicationNumber)?.supersedesReason;
      return reason !== 'forced' && reason !== 'new-number';
    });
    facts.hold(wanted.length <= 1, () => `AMLYZE has ${wanted.length} times ${content}`);
  }
  return facts.finding();
}

/** I3: what we call accepted AMLYZE has; what AMLYZE has beyond that is in doubt here. */
export function truthfulLog({ gateway, ledger }: Evidence): Finding {
  const facts = new Facts('I3');
  const theirs = new Set(ledger.map(({ communicationNumber }) => communicationNumber));
  const ours = new Map(gateway.records.map((record) => [record.number, record]));
  for (const { number, state } of ours.values()) {
    if (state === 'accepted') facts.hold(theirs.has(number), () => `${number} is accepted here and unknown to AMLYZE`);
  }
  for (const number of theirs) {
    const record = ours.get(number);
    const sound = record !== undefined && (record.state === 'accepted' || record.inDoubt);
    facts.hold(
      sound,
      () => `AMLYZE has ${number}, which is ${record ? `${record.state} without doubt` : 'unknown'} here`,
    );
  }
  return facts.finding();
}

/** I4: every send of a number has the same bytes, and they are the frozen ones. */
export function sameBytes({ gateway, history }: Evidence): Finding {
  const facts = new Facts('I4');
  const frozen = new Map(gateway.records.map(({ number, payloadHash }) => [number, payloadHash]));
  const sends = ofKind(history, 'call').flatMap(({ items }) => items ?? []);
  for (const [number, items] of groupBy(sends, (item) => item.number)) {
    const hashes = new Set(items.map(({ hash }) => hash));
    facts.hold(hashes.size === 1, () => `${number} was sent with ${hashes.size} different contents`);
    const hash = frozen.get(number);
    facts.hold(hash !== undefined, () => `${number} was sent and is in no record`);
    if (typeof hash === 'string')
      facts.hold(hashes.has(hash), () => `${number} was sent with other bytes than the frozen ones`);
  }
  return facts.finding();
}

/** I5: AMLYZE has, digit for digit, what the bank said at some time before. */
export function sameDigits({ gateway, ledger, history }: Evidence): Finding {
  const facts = new Facts('I5');
  const scripts = groupBy(ofKind(history, 'script'), ({ accountExtId }) => accountExtId);
  const ours = new Map(gateway.records.map((record) => [record.number, record]));
  for (const { kind, communicationNumber: number, accountExtId = '', value = '', at } of ledger) {
    if (kind !== 'balance') continue;
    const record = ours.get(number);
    if (record)
      facts.hold(
        record.payloadValue === value && record.accountExtId === accountExtId,
        () =>
          `${number}: AMLYZE has ${value} for ${accountExtId}, the record ${record.payloadValue} for ${record.accountExtId}`,
      );
    const said = scripts.get(accountExtId);
    if (said)
      facts.hold(
        said.some((line) => line.value === value && line.at <= at),
        () => `${number}: AMLYZE has ${value} for ${accountExtId}, which the bank never said`,
      );
  }
  return facts.finding();
}
