import type { Finding } from '../post-conditions.js';

/** Things that are named in a diagnostic. */
const MAX_NAMED = 6;

/** What faults come to; `otherwise` tells what was found where there are none. */
export function judged(faults: readonly string[], otherwise: string): Finding {
  if (faults.length === 0) return { ok: true, actual: otherwise };
  const more = faults.length > MAX_NAMED ? ` and ${faults.length - MAX_NAMED} more` : '';
  const named = `${faults.slice(0, MAX_NAMED).join(', ')}${more}`;
  return { ok: false, actual: named, diagnostic: named };
}
