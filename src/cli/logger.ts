import { pino } from 'pino';
import type { Logger } from '../base/log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const STDERR = 2;

/** Structured lines on stderr, which is for what nobody asked for. */
export function stderrLogger(level: LogLevel): Logger {
  return linesLogger(level, pino.destination({ dest: STDERR, sync: true }));
}

/** Structured lines, each with its end, to wherever they are to go. */
export function linesLogger(
  level: LogLevel,
  destination: { write: (line: string) => unknown },
): Logger {
  const lines = pino({ level, base: null }, destination);
  return {
    debug: (message, fields) => {
      lines.debug(fields, message);
    },
    info: (message, fields) => {
      lines.info(fields, message);
    },
    warn: (message, fields) => {
      lines.warn(fields, message);
    },
    error: (message, fields) => {
      lines.error(fields, message);
    },
  };
}
