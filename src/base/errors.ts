/** A problem the person running the command can mend. Everything else that is thrown is a bug. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** What to do about it: one or more whole sentences. */
  readonly hint: string | undefined;

  constructor(message: string, options: ErrorOptions & { hint?: string } = {}) {
    super(message, options);
    this.hint = options.hint;
  }
}

/** The words of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
