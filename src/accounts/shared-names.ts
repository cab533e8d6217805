import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Environment } from '../config/environment';
import { Database } from '../shared/database';
import { StartProblem } from '../shared/start-problem';

/** More pairs than this help nobody to see what is wrong. */
const SHOWN = 5;

/**
 * Registration sees to it that no two accounts are one at AMLYZE, but another AMLYZE_BUSINESS_UNIT may make them so. Their balances would be
 * mixed under one name, with nothing in the log to tell: so nothing is read or sent with such a setting. Closed accounts mix nothing.
 */
@Injectable()
export class SharedNames implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
  ) {}

  async onModuleInit(): Promise<void> {
    const { amlyzeBusinessUnit: configured } = this.environment;
    if (configured === undefined) return;
    const pairs = await this.database.query<{ named: string; unnamed: string }>(
      `select named.id as named, unnamed.id as unnamed
from account named join account unnamed on coalesce(unnamed.business_unit, '') = '' and unnamed.account_ext_id = named.account_ext_id
where coalesce(named.business_unit, '') = $1 and named.status = 'active' and unnamed.status = 'active'
limit ${SHOWN}`,
      [configured],
    );
    if (pairs.length === 0) return;
    const shown = pairs.map(({ named, unnamed }) => `${unnamed} and ${named}`).join(', ');
    throw new StartProblem([
      `AMLYZE_BUSINESS_UNIT: makes one account at AMLYZE of accounts that have one accountExtId, with this business unit and without any (${shown}); ` +
        'start with the setting as it was, PATCH accountExtId or businessUnit of one of each, or close it, then set this',
    ]);
  }
}
