import { AccessSubjectEntity } from '../accounts/access-subject.entity';
import { AccountEntity } from '../accounts/account.entity';
import { AuditEntryEntity } from '../admin/audit-entry.entity';
import { BalanceReadingEntity } from '../balances/balance-reading.entity';
import { ExchangeRateEntity } from '../balances/exchange-rate.entity';
import { ConnectionHealthEntity } from '../connections/connection-health.entity';
import { ConnectionPaceEntity } from '../connections/connection-pace.entity';
import { ConnectionTokenEntity } from '../connections/connection-token.entity';
import { ConnectionEntity } from '../connections/connection.entity';
import { AccessLedgerEntity } from '../consents/access-ledger.entity';
import { ConsentEntity } from '../consents/consent.entity';
import { InstallationEntity } from './installation.entity';
import { AmlyzeEndpointEntity } from '../delivery/amlyze-endpoint.entity';
import { DeliveryAttemptEntity } from '../delivery/delivery-attempt.entity';
import { DeliveryResultEntity } from '../delivery/delivery-result.entity';
import { OperationImportFindingEntity } from '../operations/operation-import-finding.entity';
import { OperationImportEntity } from '../operations/operation-import.entity';
import { OperationEntity } from '../operations/operation.entity';
import { AmlyzeRecordEntity } from '../outbox/amlyze-record.entity';
import { DeliveryGroupEntity } from '../outbox/delivery-group.entity';
import { RecordKeyEntity } from '../outbox/record-key.entity';
import { RecordSeriesEntity } from '../outbox/record-series.entity';
import { RecordStateEntity } from '../outbox/record-state.entity';
import { SyncRunEntity } from '../sync/sync-run.entity';
import { WaitingAccountEntity } from '../sync/waiting-account.entity';
import { WordingEntity } from '../sync/wording.entity';

/** One class per table; a test compares each with its table, column by column. */
export const entities: (new () => object)[] = [
  AccessSubjectEntity,
  AccountEntity,
  AuditEntryEntity,
  BalanceReadingEntity,
  ExchangeRateEntity,
  ConnectionHealthEntity,
  ConnectionPaceEntity,
  ConnectionTokenEntity,
  ConnectionEntity,
  AccessLedgerEntity,
  ConsentEntity,
  InstallationEntity,
  AmlyzeEndpointEntity,
  DeliveryAttemptEntity,
  DeliveryResultEntity,
  AmlyzeRecordEntity,
  RecordStateEntity,
  DeliveryGroupEntity,
  RecordKeyEntity,
  RecordSeriesEntity,
  OperationEntity,
  OperationImportEntity,
  OperationImportFindingEntity,
  WaitingAccountEntity,
  WordingEntity,
  SyncRunEntity,
];
