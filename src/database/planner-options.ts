/** How the gateway's sessions have their statements planned; see docs/decisions/0012-one-index-a-question.md. */
export const PLANNER_OPTIONS = [
  // Statements of milliseconds: compiling one costs more than it saves, and estimates on stale statistics ask for it.
  '-c jit=off',
  // A plan is kept while its tables grow from nothing to millions: it must be the index from the first day, and walked in
  // its order. A bitmap gathers all that matches before a limit can end it, good only where the estimate is right.
  '-c enable_seqscan=off',
  '-c enable_bitmapscan=off',
] as const;
