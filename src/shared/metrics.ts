import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from '@prometheus-io/client';

/** All metrics of one process. Labels are small closed sets, never an account, a number or a message. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  readonly reads = new Counter({
    name: 'gateway_reads_total',
    help: 'Readings by provider and outcome',
    labelNames: ['provider', 'outcome'],
    registers: [this.registry],
  });
  readonly readSeconds = new Histogram({
    name: 'gateway_bank_call_seconds',
    help: 'Duration of calls to bank APIs',
    labelNames: ['provider'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  readonly deliveries = new Counter({
    name: 'gateway_deliveries_total',
    help: 'Records by kind and verdict of one attempt',
    labelNames: ['kind', 'verdict', 'reason'],
    registers: [this.registry],
  });
  readonly batchSeconds = new Histogram({
    name: 'gateway_amlyze_call_seconds',
    help: 'Duration of calls to AMLYZE',
    labelNames: ['endpoint', 'outcome'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  readonly strangers = new Counter({
    name: 'gateway_amlyze_stranger_results_total',
    help: 'Results for communication numbers that were not in the request',
    registers: [this.registry],
  });
  readonly missingRates = new Counter({
    name: 'gateway_missing_exchange_rates_total',
    help: 'Balances sent without an equivalent value because no rate was at hand',
    labelNames: ['currency'],
    registers: [this.registry],
  });
  readonly outboxDepth = new Gauge({
    name: 'gateway_outbox_records',
    help: 'Records that are not settled, by state',
    labelNames: ['state'],
    registers: [this.registry],
  });
  readonly outboxAgeSeconds = new Gauge({
    name: 'gateway_outbox_oldest_pending_seconds',
    help: 'Age of the oldest record that is pending',
    registers: [this.registry],
  });
  readonly refusesThisReplica = new Gauge({
    name: 'gateway_amlyze_refuses_replica',
    help: 'Whether AMLYZE has refused the configuration of this replica, by endpoint',
    labelNames: ['endpoint'],
    registers: [this.registry],
  });
  readonly accountsByFreshness = new Gauge({
    name: 'gateway_accounts',
    help: 'Active accounts by the age of their last read',
    labelNames: ['last_read'],
    registers: [this.registry],
  });
  readonly pausedConnections = new Gauge({
    name: 'gateway_paused_connections',
    help: 'Connections that are paused, by who paused them',
    labelNames: ['paused_by'],
    registers: [this.registry],
  });
  readonly stoppedConsents = new Gauge({
    name: 'gateway_stopped_consents',
    help: 'Consents that nothing is read under, by the outcome of their accounts',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
