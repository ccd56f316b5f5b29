import type { Session } from './session.js';

interface Evaluated {
  result: { value?: unknown };
  exceptionDetails?: { text: string; exception?: { description?: string } };
}

/**
 * Runs JavaScript in a thread, also in one that spins, and gives its value, which JSON must hold.
 * In it, `builtin('node:v8')` gives a module of Node. Rejects with what it throws.
 */
export async function evaluate<Value>(session: Session, expression: string, deadlineMs?: number): Promise<Value> {
  const { result, exceptionDetails } = await session.call<Evaluated>(
    'Runtime.evaluate',
    {
      // Before 20.16 and 22.3 there is no `getBuiltinModule`, but consoles have a `require`, in ES modules as well.
      expression: `((builtin) => (${expression}))(process.getBuiltinModule ?? require)`,
      includeCommandLineAPI: true,
      returnByValue: true,
      silent: true,
    },
    deadlineMs,
  );
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value as Value;
}
