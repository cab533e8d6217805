import { setTimeout as wait } from 'node:timers/promises';
import type { GatewayReplica } from '../rig/replica';
import type { World } from '../rig/world';

/** A supervisor that starts again what does not come up, because the database is away say. */
const START_DEADLINE_MS = 60_000;

/** The replicas of a world by their places; each place is held by one process after the other. */
export class Crew {
  private readonly places: (GatewayReplica | undefined)[] = [];
  private readonly paused = new Set<GatewayReplica>();
  /** Those that die by themselves, at the next work that brings them to their fail point. */
  private readonly armed = new Set<GatewayReplica>();
  private readonly starts = new Map<number, Promise<void>>();

  constructor(private readonly world: World) {}

  /** Exactly so many, all ready and none about to die: those too many are asked to end, those that are missing are started. */
  async muster(count: number): Promise<void> {
    await Promise.all([...this.armed].map(async (replica) => replica.alive && replica.kill()));
    this.armed.clear();
    const surplus = this.places.splice(count);
    await Promise.all(surplus.map(async (replica) => replica?.terminate()));
    await Promise.all(Array.from({ length: count }, (_, place) => this.fill(place)));
    await Promise.all(this.places.map(async (replica) => replica?.ready()));
  }

  /** Who holds the place; a seed with fewer replicas means the last of those that are there. */
  at(place: number): GatewayReplica | undefined {
    return this.places[Math.min(place, this.places.length - 1)];
  }

  /** Any that lives and moves, for an operator's call. Where all have died at their fail points, the supervisor comes first. */
  async anyone(): Promise<GatewayReplica> {
    for (;;) {
      const found = this.places.find((replica) => replica?.alive && !this.paused.has(replica));
      if (found) return found;
      if (this.paused.size === 0) await this.fill(0);
      else await wait(50);
    }
  }

  /** Ends it, and starts another in its place `downMs` later. */
  async replace(
    place: number,
    downMs: number,
    how: 'SIGKILL' | 'SIGTERM',
    env: Record<string, string> = {},
  ): Promise<void> {
    const at = Math.min(place, this.places.length - 1);
    const replica = this.places[at];
    if (!replica?.alive || this.paused.has(replica)) return;
    if (how === 'SIGTERM') await replica.terminate();
    else await replica.kill();
    await wait(downMs);
    await this.fill(at, env);
  }

  async pause(place: number, forMs: number): Promise<void> {
    const replica = this.at(place);
    if (!replica?.alive || this.paused.has(replica)) return;
    this.paused.add(replica);
    replica.pause();
    await wait(forMs);
    replica.resume();
    this.paused.delete(replica);
  }

  /** One start at a time in a place; who comes second finds it taken. */
  private async fill(place: number, env: Record<string, string> = {}): Promise<void> {
    const before = this.starts.get(place) ?? Promise.resolve();
    const start = before.then(() => this.start(place, env));
    this.starts.set(
      place,
      start.catch(() => undefined),
    );
    return start;
  }

  private async start(place: number, env: Record<string, string>): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    for (let wanted = env; !this.places[place]?.alive; wanted = {}) {
      try {
        const replica = await this.world.startReplica(wanted);
        this.places[place] = replica;
        if (wanted['FAIL_POINTS'] !== undefined) this.armed.add(replica);
      } catch (error) {
        // It may have died at its fail point before it was ever ready; then the next one comes without.
        if (performance.now() > deadline) throw error;
        await wait(100);
      }
    }
  }
}
