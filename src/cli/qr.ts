import { create } from 'qrcode';

/** What scanners need around a code (ISO/IEC 18004): 4 modules of white. */
const QUIET = 4;
/** Black on bright white, whatever the colours of the terminal: not every scanner reads negatives. */
const COLOURS = '\u001b[30;107m';
const RESET = '\u001b[0m';
/** By what is dark: nothing, the lower half, the upper half, both. */
const HALVES = [' ', '▄', '▀', '█'];

/** A QR code of the text for a terminal; two rows of modules in one line of characters. */
export function terminalQr(text: string): string {
  const { modules } = create(text, { errorCorrectionLevel: 'low' });
  const isDark = (row: number, column: number): boolean =>
    Math.min(row, column) >= 0 &&
    Math.max(row, column) < modules.size &&
    modules.get(row, column) === 1;
  const lines: string[] = [];
  for (let row = -QUIET; row < modules.size + QUIET; row += 2) {
    let line = '';
    for (let column = -QUIET; column < modules.size + QUIET; column += 1) {
      const dark = (isDark(row, column) ? 2 : 0) + (isDark(row + 1, column) ? 1 : 0);
      line += HALVES[dark] ?? '';
    }
    lines.push(`${COLOURS}${line}${RESET}`);
  }
  return lines.join('\n');
}
