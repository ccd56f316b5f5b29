import type { Option } from './option.js';

/** What a row says where it begins a line: with a capital, and with what holds where it is turned off. */
export function sentence({ says, off }: Option): string {
  const whole = typeof off === 'string' ? `${says}; else ${off}` : says;
  return whole.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}
