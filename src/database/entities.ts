/** One class per table. */
export const entities: (new () => object)[] = [];
