/** The two check digits of ISO 13616: letters as numbers, the country moved to the end, 98 less the rest by 97. */
export function iban(country: string, rest: string): string {
  const digits = `${rest}${country}00`.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return `${country}${String(98n - (BigInt(digits) % 97n)).padStart(2, '0')}${rest}`;
}
