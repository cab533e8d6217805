import { UnopenedNews } from './unopened-news';

it('is told when it begins, and then once a minute with how often it happened', () => {
  const lines: { times: number }[] = [];
  let nowMs = 5_000;
  const news = new UnopenedNews({ error: (line: { times: number }) => lines.push(line) }, () => nowMs);
  news.tell('operations', 'no key');
  expect(lines).toEqual([expect.objectContaining({ endpoint: 'operations', detail: 'no key', times: 1 })]);
  for (let i = 0; i < 1_000; i += 1) news.tell('operations', 'no key');
  expect(lines).toHaveLength(1);
  nowMs += 60_000;
  news.tell('operations', 'no key');
  expect(lines.map(({ times }) => times)).toEqual([1, 1_001]);
});
