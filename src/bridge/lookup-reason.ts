import { LookupError } from '../lookup/fault.ts';

/** Why a lookup failed, for the log: never what was looked up. */
export function lookupReason(error: unknown): string {
  if (error instanceof LookupError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
