/**
 * One sentence of the explanation that an auditor reads. Its words stand in the code, so that only what lies between them, the
 * figures, has to be kept for each read.
 */
export class Step {
  constructor(
    /** Short stable name: `answer-belongs`, `selection`, `sign`, `credit-line`, `balance-at`, `equivalent-value`, `outcome`, `record`. */
    readonly rule: string,
    /** The parts between the figures: one more than there are figures. The same array for every step of one place in the code. */
    readonly words: readonly string[],
    readonly figures: readonly string[],
  ) {}

  get text(): string {
    return sentence(this.words, this.figures);
  }
}

/** A step as people read it. */
export interface ShownStep {
  rule: string;
  text: string;
}

/** A step as a reading keeps it: the number of its wording and its figures, or all of it where the wording had no number yet. */
export type StoredStep = [wording: number, ...figures: string[]] | ShownStep;

export function sentence(words: readonly string[], figures: readonly string[]): string {
  return words.map((part, index) => part + (figures[index] ?? '')).join('');
}

/** Tags the sentences of one rule: ``const sign = stepOf('sign'); sign`Amount ${amount} is ${value}.` ``. */
export function stepOf(rule: string): (words: TemplateStringsArray, ...figures: (string | number)[]) => Step {
  return (words, ...figures) => new Step(rule, words, figures.map(String));
}
