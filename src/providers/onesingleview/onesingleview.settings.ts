import { Equals, IsIn, IsString, Matches } from 'class-validator';
import { Check } from '../../admin/check';
import { text } from '../../admin/rules';
import { BalanceTypeEntry, IsApiPath, ProviderSettings } from '../provider-settings';

const STATEMENT_TYPES = ['ClosingBooked', 'InterimBooked', 'ClosingAvailable', 'InterimAvailable'];

export class OneSingleViewSettings extends ProviderSettings {
  override balanceTypes: BalanceTypeEntry[] = STATEMENT_TYPES.map((type) =>
    BalanceTypeEntry.of(type, 'STATEMENT_BALANCE'),
  );

  /** Shown in the vendor's console. Said to be a UUID, but the samples are not: any text. */
  @Check(text(100))
  merchantId: string;

  /** What to do with a credit line that is part of the bank's figure; a choice of policy, so there is no default. */
  @IsIn(['own-funds', 'as-reported'])
  creditLine: 'own-funds' | 'as-reported';

  /** What the amount of a line means: the undrawn rest, as the vendor's page says, or the whole limit. */
  @IsIn(['available', 'limit'])
  creditLineAmount: 'available' | 'limit' = 'available';

  /** The vendor's pages spell it client_credentials, client_Credentials and Client_Credentials. */
  @IsString()
  @Matches(/^client_credentials$/i, { message: '$property must be client_credentials, in any capitalisation' })
  grantType: string = 'client_credentials';

  /** Four headers (clientId, clientCode, signature, Authorization), or the two of the older pages without the first two. */
  @IsIn(['four', 'two'])
  headerSet: 'four' | 'two' = 'four';

  /** Spelling of the envelope: the samples send dateTimeStamp and requestID, the tables say DateTimeStamp and RequestID. */
  @IsIn(['sample', 'table'])
  envelopeSpelling: 'sample' | 'table' = 'sample';

  /** Prefix of the Saudi vocabulary that types and indicators may carry or not. */
  @Check(text(20))
  typePrefix: string = 'KSAOB.';

  /**
   * How the answer tells of one failing bank among several is not documented, so only one bank is asked per call. It changes nothing,
   * and is there to say so in a connection's settings.
   */
  @Equals(1, { message: '$property must be 1: asking several banks in one call is not supported' })
  banksPerCall: 1 = 1;

  /** Below the connection's base URL. */
  @IsApiPath()
  balancePath: string = '/v1/api/observice/balanceById';

  /** Below the connection's base URL. */
  @IsApiPath()
  tokenPath: string = '/v1/api/observice/token';
}
