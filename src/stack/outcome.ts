import type { Outcome } from './finding.ts';

export function fine(found: string): Outcome {
  return { verdict: 'ok', found };
}

export function warning(found: string, todo: string): Outcome {
  return { verdict: 'warn', found, todo };
}

export function failure(found: string, todo: string): Outcome {
  return { verdict: 'fail', found, todo };
}
