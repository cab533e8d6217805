/** An operation that every rule lets through, for the OpenAPI document. */
export const EXAMPLE = {
  operationExtId: 'Op_01_CARD_TEST',
  operationType: 'CARD_PAYMENT',
  cardOperationSubType: 'CARD_PURCHASE',
  riskManagementCategory: 'OP_TRANSFER',
  operationStatus: 'EXECUTED',
  operationDateTime: '2024-08-16T13:00:00Z',
  sourceCountry: 'LT',
  destinationCountry: 'ES',
  currency: 'EUR',
  amount: 1499,
  financialFlowDirection: 'OUTGOING',
  description: "Invoice '02'",
  listOperationParty: [
    {
      partyRole: 'DEBTOR',
      entityType: 'INDIVIDUAL',
      accountNumber: 'LT121000011101001000',
      bic: 'AGBLLT2X',
      firstName: 'Eduardo',
      lastName: 'Rodrigues',
    },
    { partyRole: 'CREDITOR', entityType: 'ORGANIZATION', accountNumber: 'ES9121000418450200051332', title: 'Costco' },
  ],
};

const { listOperationParty: parties, ...fields } = EXAMPLE;
const cells = {
  ...fields,
  ...Object.fromEntries(
    parties.flatMap((party, at) => Object.entries(party).map(([name, value]) => [`party${at + 1}.${name}`, value])),
  ),
};

/** The same as the lines of an import; none of its values needs quotes. */
export const IMPORT_EXAMPLES = {
  ndjson: `${JSON.stringify(EXAMPLE)}\n`,
  csv: `${Object.keys(cells).join(',')}\n${Object.values(cells).join(',')}\n`,
};
