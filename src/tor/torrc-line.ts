/** One option of a torrc and its value, not yet quoted. */
export type TorrcLine = readonly [option: string, value: string | number];

const PLAIN = /^[\w./:@,=+*-]([\w./:@,=+* -]*[\w./:@,=+*-])?$/;
// eslint-disable-next-line no-control-regex -- what is refused is control characters.
const CONTROL = /[\0-\x1f\x7f]/;

/**
 * The line as tor reads it, with its end. A value that tor could take for anything but itself (a
 * comment, a continued line, a second option) is written as a C string.
 * @throws RangeError for a value with control characters.
 */
export function renderTorrcLine([option, value]: TorrcLine): string {
  const text = String(value);
  if (CONTROL.test(text)) throw new RangeError(`${option} cannot hold control characters`);
  return `${option} ${PLAIN.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`}\n`;
}
