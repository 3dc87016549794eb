import type { Finding, Verdict } from '../stack/finding.ts';

const MARKS: Readonly<Record<Verdict, string>> = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' };
const INDENT = ' '.repeat(6);

/** One line a finding, and below it what to do where there is something. */
export function findingsText(findings: readonly Finding[]): string {
  return findings
    .flatMap(({ title, verdict, found, todo }) => [
      `${MARKS[verdict]}  ${title}: ${found}`,
      ...(todo?.split('\n').map((line) => INDENT + line) ?? []),
    ])
    .join('\n');
}
