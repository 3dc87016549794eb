import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { LinkError } from './link-error.ts';
import { RelayError } from './relay-error.ts';

/** What a peer does wrong is not worth a line; what this end does wrong is. */
export function logLinkEnd(log: Logger, { code, message, cause }: LinkError): void {
  const ours = cause !== undefined && !(cause instanceof RelayError || cause instanceof LinkError);
  if (ours) log.error('a link ended by a defect', { code, reason: messageOf(cause) });
  else log.debug('a link ended', { code, reason: message });
}
