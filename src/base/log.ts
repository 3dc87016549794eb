/** Fields of a log line: small, and never a secret or an address of a wallet. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const nothing = (): void => undefined;

/** Keeps nothing. */
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
