const actions = new Set<() => void>();

function runAll(): void {
  for (const action of actions) action();
}

/**
 * Runs a synchronous action when the process exits; the function given back
 * takes it off again. One listener for all: each executor with one of its own
 * would soon look like a leak to Node.
 */
export function atExit(action: () => void): () => void {
  if (actions.size === 0) process.on('exit', runAll);
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size === 0) process.off('exit', runAll);
  };
}
