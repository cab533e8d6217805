import { join } from 'node:path';
import type { Guardian } from '../../test/faults/rig/guardian';
import { RigProcess } from '../../test/faults/rig/rig-process';
import type { ReferenceSettings, RoundRequest, RoundResult } from '../references/serve';
import { startRuntime } from '../../test/support/start-runtime';

export type ReferenceName = 'loop' | 'script' | 'ceiling' | 'operations';

export interface ReferenceParts {
  guardian: Guardian;
  logFile: string;
  settings: ReferenceSettings;
}

/** A program that the gateway is compared with: a process of its own under the same flags, which does a round when asked. */
export class ReferenceProcess {
  private constructor(
    readonly process: RigProcess,
    private readonly url: string,
  ) {}

  static async start(name: ReferenceName, { guardian, logFile, settings }: ReferenceParts): Promise<ReferenceProcess> {
    const { flags, env } = startRuntime();
    const process = RigProcess.start(
      {
        title: `the reference ${name}`,
        file: join(__dirname, '..', 'references', `${name}.ts`),
        nodeArgs: [...flags, '--require', join(__dirname, '..', '..', 'test', 'support', 'register.cjs')],
        args: [JSON.stringify(settings)],
        env: { PATH: '/usr/bin:/bin', ...env },
        logFile,
      },
      guardian,
    );
    const [, url = ''] = await process.says(/"url":"(http[^"]+)"/);
    return new ReferenceProcess(process, url);
  }

  /** Lets it do one round; throws with its words where it could not. */
  async round(request: RoundRequest): Promise<RoundResult> {
    const response = await fetch(this.url, { method: 'POST', body: JSON.stringify(request) });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${this.process.program.title}: ${text}`);
    return JSON.parse(text) as RoundResult; // what references/serve.ts writes
  }

  async stop(): Promise<void> {
    await this.process.kill();
  }
}
