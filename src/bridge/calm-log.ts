import { type Clock } from '../base/clock.ts';
import { type LogFields, type Logger } from '../base/log.ts';

const EVERY_MS = 60_000;
const MESSAGES_KEPT = 1000;

/** Passes each message on at most once a minute, and says how often it came meanwhile. */
export function calmLog(log: Logger, clock: Clock): Logger {
  const heard = new Map<string, { readonly at: number; more: number }>();
  const calm =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void => {
      const key = JSON.stringify([level, message, fields]);
      const last = heard.get(key);
      if (last !== undefined && clock() - last.at < EVERY_MS) {
        last.more += 1;
        return;
      }
      if (heard.size >= MESSAGES_KEPT) heard.clear();
      heard.set(key, { at: clock(), more: 0 });
      log[level](message, last?.more ? { ...fields, moreBefore: last.more } : fields);
    };
  return { debug: calm('debug'), info: calm('info'), warn: calm('warn'), error: calm('error') };
}
