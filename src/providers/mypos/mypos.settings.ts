import { IsBoolean } from 'class-validator';
import { BalanceTypeEntry, IsApiPath, ProviderSettings } from '../provider-settings';

export class MyposSettings extends ProviderSettings {
  /** The vendor's page shows one type only, `available`. */
  override balanceTypes: BalanceTypeEntry[] = [BalanceTypeEntry.of('available', 'STATEMENT_BALANCE')];

  /** Below the connection's base URL. */
  @IsApiPath(['{accountNumber}'])
  balancePath: string = '/v1/accounts/{accountNumber}/balances';

  /** The vendor's table calls the Consent-ID header mandatory; three of its four samples leave it out. */
  @IsBoolean()
  sendConsentId: boolean = true;
}
