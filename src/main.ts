import './shared/own-source-maps';
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { configureApp } from './admin/configure-app';
import { AppModule } from './app.module';
import { Environment, databaseVariable } from './config/environment';
import { explainListenFailure } from './config/listen-problem';
import { explainDatabaseFailure } from './database/database-problem';
import { armFailPoints } from './shared/fail-point';
import { withoutChatter } from './shared/quiet-logger';
import { StartProblem } from './shared/start-problem';
import { version } from './shared/version';

/** Ending takes this long at most after a stop signal came; then the process ends without ceremony. */
const EXIT_DEADLINE_MS = 10_000;

/**
 * What asks the gateway to end in good order; SIGHUP is the terminal that is closed. Nest's own list has SIGSEGV and its like in it,
 * where nothing can be run any more: a process that caught them would hang instead of ending.
 */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

async function start(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    bufferLogs: true,
    // Nest would print a refused start with its stack, in colours, before `refuse` says it in words.
    autoFlushLogs: false,
    bodyParser: false,
    abortOnError: false,
    forceCloseConnections: true,
  });
  const environment = app.get(Environment);
  app.useLogger(withoutChatter(app.get(Logger)));
  app.flushLogs();
  armFailPoints(environment.failPoints);
  configureApp(app, environment);
  endOnSignals(app);
  if (environment.adminApiKeyIsNew) {
    // The one time that it is shown, also where the port is taken; it stays readable in DATA_DIR for the user who owns it.
    process.stdout.write(`Admin key, made for this DATA_DIR and shown once: ${environment.adminApiKey}\n`);
  }
  await listen(app, environment);
  giveUp = (error) => crash(app.get(Logger), error);
  app.get(Logger).log({ msg: 'gateway listens', version, url: await app.getUrl() });
}

async function listen(app: NestExpressApplication, environment: Environment): Promise<void> {
  try {
    await app.listen(environment.port, environment.host);
  } catch (error) {
    const problem = explainListenFailure(error, environment);
    // The workers run already: what they have begun to read must not be lost.
    setTimeout(() => refuse(problem), EXIT_DEADLINE_MS).unref();
    await app.close();
    throw problem;
  }
}

/** Before there is anything to end in good order; `exit` ends the embedded Postgres that was just started. */
function breakOff(signal: NodeJS.Signals, number: number): never {
  process.stderr.write(`The gateway does not start: stopped by ${signal}.\n`);
  process.exit(128 + number);
}

function endOnSignals(app: NestExpressApplication): void {
  for (const signal of STOP_SIGNALS) process.off(signal, breakOff);
  app.enableShutdownHooks([...STOP_SIGNALS]);
  const logger = app.get(Logger);
  for (const signal of STOP_SIGNALS) {
    process.once(signal, () => {
      logger.log({ msg: `stopping on ${signal}` });
      setTimeout(() => process.exit(1), EXIT_DEADLINE_MS).unref();
    });
  }
}

function refuse(reason: unknown): never {
  const error = explainDatabaseFailure(reason, databaseVariable());
  if (error instanceof StartProblem) {
    process.stderr.write(`The gateway does not start.\n${error.message}\n`);
  } else {
    process.stderr.write(
      `The gateway does not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
  process.exit(1);
}

/** A fault that nobody caught, after the start: the log is where people look. What was not committed is done again by the next process. */
function crash(logger: Logger, err: unknown): never {
  logger.fatal({ msg: 'the gateway ends: a fault that nobody caught', err });
  process.exit(1);
}

let giveUp: (error: unknown) => never = refuse;
process.on('unhandledRejection', (error) => giveUp(error));
process.on('uncaughtException', (error) => giveUp(error));
for (const signal of STOP_SIGNALS) process.once(signal, breakOff);
void start().catch(refuse);
