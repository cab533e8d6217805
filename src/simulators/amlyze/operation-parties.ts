import type { AmlyzeAccount } from './accounts';
import type { ItemFields, Verdict } from './item';
import type { OperationItem } from './operation-item';
import type { OperationScene } from './operation-problem';

const ROLES = ['DEBTOR', 'CREDITOR', 'ULTIMATE_DEBTOR', 'ULTIMATE_CREDITOR'];
const ENTITY_TYPES = ['INDIVIDUAL', 'ORGANIZATION', 'UNKNOWN'];
const TEXTS = [
  ...['partyRole', 'entityType', 'accountNumber', 'accountExtId', 'bic', 'currency', 'bankTitle', 'address', 'country'],
  ...['firstName', 'lastName', 'title', 'identifier', 'cardNumber', 'cardValidTill', 'cardHolderName'],
];

/** The code of an older sample, `O006.Ot02.Op04`, names the operation type, then the parties, then the fault. */
const wrong = (errorDescription: string): Verdict => ({ errorCode: 'O006', errorDescription });

interface OwnParty {
  readonly role: string;
  /** undefined where only the BIC tells that it is ours */
  readonly account: AmlyzeAccount | undefined;
}

/** What AMLYZE would refuse about the parties, in the words of the vendor's page. */
export function partyProblem({ fields, parties = [] }: OperationItem, scene: OperationScene): Verdict | undefined {
  if (parties.length < 1 || parties.length > 4) return wrong('Invalid operation party count. Range: min 1, max 4.');
  const odd = parties.findIndex((party) => !isComplete(party));
  if (odd >= 0) return wrong(`Problem with operation party (index: ${String(odd)}).`);
  const type = fields.text('operationType') ?? '';
  return roleProblem(parties, type) ?? customerProblem(parties, scene) ?? ownProblem(fields, parties, scene);
}

function isComplete(party: ItemFields): boolean {
  const role = party.text('partyRole') ?? '';
  if (!party.isObject || party.mistyped({ texts: TEXTS, numbers: [] }) !== undefined) return false;
  if (!ROLES.includes(role) || !ENTITY_TYPES.includes(party.text('entityType') ?? '')) return false;
  const ultimate = role.startsWith('ULTIMATE_');
  if (!ultimate && !party.has('accountNumber')) return false;
  if (party.has('firstName') !== party.has('lastName')) return false;
  const named = party.has('title') || (party.text('entityType') === 'INDIVIDUAL' && party.has('firstName'));
  return named || (ultimate && party.has('identifier'));
}

function roleProblem(parties: readonly ItemFields[], type: string): Verdict | undefined {
  const count = (role: string): number => parties.filter((party) => party.text('partyRole') === role).length;
  if (count('CREDITOR') === 0) return wrong('OperationParties must contain CREDITOR.');
  if (type === 'PIS') {
    return parties.length > 1 ? wrong('For ‘PIS’ operation, only creditor can be provided.') : undefined;
  }
  if (count('DEBTOR') === 0) return wrong('OperationParties must contain DEBTOR.');
  const once = count('CREDITOR') === 1 && count('DEBTOR') === 1;
  return once ? undefined : wrong(`Invalid count of operation parties for ${type} operationType.`);
}

function customerProblem(parties: readonly ItemFields[], { accounts }: OperationScene): Verdict | undefined {
  for (const [index, party] of parties.entries()) {
    const account = accounts.byNumber(party.text('accountNumber'));
    if (account?.customerKnown === false) {
      return wrong(
        'Account registered to your institution; Account found in Amlyze, but customer not found in Amlyze.',
      );
    }
    if (account?.entityType !== undefined && account.entityType !== party.text('entityType')) {
      return wrong(
        `entityType mismatch in operationParty[${String(index)}]: Amlyze customer has different entity type to operation one.`,
      );
    }
  }
  return undefined;
}

/** A party is the institution's by its registered account number, or by the institution's BIC; where no BIC is set, by any. */
function ownParties(parties: readonly ItemFields[], expected: string, scene: OperationScene): OwnParty[] {
  const { institutionBic } = scene.settings;
  const own = parties.flatMap((party): OwnParty[] => {
    const account = scene.accounts.byNumber(party.text('accountNumber'));
    const bic = party.text('bic');
    const ours = account !== undefined || (bic !== undefined && (institutionBic === null || bic === institutionBic));
    return ours ? [{ role: party.text('partyRole') ?? '', account }] : [];
  });
  // Without a BIC to compare with, BICs on both sides say nothing: the side that the direction names is taken.
  const guessed = institutionBic === null && own.every(({ account }) => account === undefined);
  const fitting = own.filter(({ role }) => role === expected);
  return guessed && fitting.length > 0 ? fitting : own;
}

function ownProblem(fields: ItemFields, parties: readonly ItemFields[], scene: OperationScene): Verdict | undefined {
  const type = fields.text('operationType') ?? '';
  const direction = fields.text('financialFlowDirection');
  if (type === 'INTERNAL' || direction === undefined) return undefined;
  const expected = direction === 'INCOMING' ? 'CREDITOR' : 'DEBTOR';
  const own = ownParties(parties, expected, scene);
  const [first] = own;
  const sepa = type === 'SEPA' ? 'Problem with OperationType (SEPA): ' : '';
  if (first === undefined) {
    if (sepa === '') return wrong('No operation party account related to your institution BIC, or Customer.');
    const errorDescription = `${sepa}Problem with OperationParties. No operation party account related to your institution BIC or Customer.`;
    return { errorCode: 'O006.Ot02.Op04', errorDescription };
  }
  if (own.length > 1) {
    return wrong(`${sepa}Invalid count of your institution operation parties for ${type} operationType.`);
  }
  if (first.role === expected) return undefined;
  return first.account !== undefined
    ? wrong(`For ${direction} operation, your customer party role must be ${expected}.`)
    : wrong(`Invalid FinancialFlowDirection: Your institution ${first.role} found for ${direction} operation.`);
}
