import type { BalanceProvider } from './provider';

/** The bank APIs that this build speaks, by name. */
export class ProviderRegistry {
  private readonly byName: ReadonlyMap<string, BalanceProvider>;

  constructor(providers: readonly BalanceProvider[]) {
    this.byName = new Map(providers.map((provider) => [provider.name, provider]));
    if (this.byName.size !== providers.length) throw new Error('two providers have the same name');
  }

  get(name: string): BalanceProvider | undefined {
    return this.byName.get(name);
  }

  names(): string[] {
    return [...this.byName.keys()];
  }
}
