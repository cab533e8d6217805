import { maskCardNumbers } from './card-scan';

/**
 * A caller's own text, such as the name of a field that there is not, as answers and findings show it: shortened, and without control
 * and format characters. Card numbers are masked first, while none of their digits is cut off and nothing else stands between them.
 */
export function shownText(text: string, limit: number): string {
  return maskCardNumbers(text)
    .replace(/[\p{Cc}\p{Cf}]/gu, '?')
    .slice(0, limit);
}
