import type { BalanceTypeMap, ReportedBalance } from './balance';
import { Refusal } from './outcome';
import { count, MAX_SHOWN_ITEMS, show, showAll } from './show';
import { comparableCode, providerTypesOf } from './type-map';
import { stepOf, type Step } from './step';

const selection = stepOf('selection');

export interface SelectionQuestion {
  reported: readonly ReportedBalance[];
  /** The AMLYZE balance type that a provider's balance is wanted for. */
  code: string;
  map: BalanceTypeMap;
  typePrefix: string | undefined;
  /** The account's. */
  currency: string;
  /** The provider type that earlier records of this account and AMLYZE balance type were made of. */
  pinned: string | undefined;
}

export interface Selection {
  /** As the map spells it. */
  providerType: string;
  /** The elements of that type and the account's currency: one, or more where the bank lists the type twice. */
  balances: ReportedBalance[];
}

interface Candidate {
  balance: ReportedBalance;
  comparable: string;
}

/**
 * Chooses by type, then by currency, then by the pin or the map's order, and looks at nothing else: an amount that
 * cannot be read must not make the next type look like the account's balance.
 */
export function selectBalances(question: SelectionQuestion, steps: Step[]): Selection | Refusal {
  const { reported, code, currency } = question;
  const wanted = providerTypesOf(question.map, code, question.typePrefix);
  const mapped = candidatesOf(question, wanted);
  if (mapped.length === 0) return nothingMapped(question, wanted);

  // XXX is ISO 4217's code for "no currency": equal on both sides it still says nothing.
  const eligible = mapped.filter(({ balance }) => balance.currency === currency && currency !== 'XXX');
  if (eligible.length === 0) {
    const others = showAll(mapped.map(({ balance }) => balance.currency));
    return new Refusal(
      'CURRENCY_MISMATCH',
      `The account's currency is ${currency}, but the bank reports its ${code} types in ${others}.`,
    );
  }
  const types = showAll(eligible.map(({ balance }) => balance.type));
  steps.push(
    selection`${eligible.length} of ${count(reported.length, 'reported balance')} can be ${code} in ${currency}: ${types}.`,
  );
  return chooseType(question, { wanted, mapped, eligible }, steps);
}

interface Choice {
  wanted: ReadonlyMap<string, string>;
  /** Of a wanted type. */
  mapped: readonly Candidate[];
  /** And in the account's currency. */
  eligible: readonly Candidate[];
}

function chooseType(question: SelectionQuestion, choice: Choice, steps: Step[]): Selection | Refusal {
  const { code, pinned, typePrefix } = question;
  const { wanted, eligible } = choice;
  const chosen =
    pinned === undefined
      ? [...wanted.keys()].find((type) => eligible.some(({ comparable }) => comparable === type))
      : comparableCode(pinned, typePrefix);
  const providerType = chosen === undefined ? undefined : wanted.get(chosen);
  const balances = eligible.filter(({ comparable }) => comparable === chosen).map(({ balance }) => balance);
  if (providerType === undefined || balances.length === 0) return pinMissing(question, choice);

  const why = pinned === undefined ? `comes first in the map for ${code}` : `is the type that ${code} is pinned to`;
  const named = balances.slice(0, MAX_SHOWN_ITEMS).map(({ index }) => `no. ${index + 1}`);
  if (balances.length > MAX_SHOWN_ITEMS) named.push('others');
  steps.push(selection`${providerType} (${named.join(' and ')}) is chosen: it ${why}.`);
  return { providerType, balances };
}

function candidatesOf(question: SelectionQuestion, wanted: ReadonlyMap<string, string>): Candidate[] {
  const candidates: Candidate[] = [];
  for (const balance of question.reported) {
    if (typeof balance.type !== 'string') continue;
    const comparable = comparableCode(balance.type, question.typePrefix);
    if (wanted.has(comparable)) candidates.push({ balance, comparable });
  }
  return candidates;
}

function nothingMapped(question: SelectionQuestion, wanted: ReadonlyMap<string, string>): Refusal {
  const { reported, code, pinned } = question;
  const found = reported.length === 0 ? 'no balance at all' : showAll(reported.map(({ type }) => type));
  const expected =
    pinned === undefined
      ? `${code} is made of ${[...wanted.values()].join(', ')}`
      : `the account's ${code} is pinned to ${show(pinned)}`;
  return new Refusal('NO_ELIGIBLE_BALANCE', `The bank reports ${found}, but ${expected}.`);
}

/** Another type in a series that was built from the pinned one would look like money moving. */
function pinMissing(
  { code, pinned = '', typePrefix }: SelectionQuestion,
  { wanted, mapped, eligible }: Choice,
): Refusal {
  const comparable = comparableCode(pinned, typePrefix);
  const elsewhere = mapped.filter((candidate) => candidate.comparable === comparable);
  const types = showAll(eligible.map(({ balance }) => balance.type));
  let why = 'which the bank does not report';
  if (!wanted.has(comparable)) why = "which the connection's balanceTypes do not hold";
  else if (elsewhere.length > 0) {
    why = `which the bank reports in ${showAll(elsewhere.map(({ balance }) => balance.currency))} only`;
  }
  return new Refusal(
    'NO_ELIGIBLE_BALANCE',
    `The account's ${code} is pinned to ${show(pinned)}, ${why}; ${types} would start another series.`,
  );
}
