import { note } from './output.ts';

/** Headers from the first block on are a long way on mainnet: says so every few seconds. */
export function noteHeaders(): (progress: { readonly height: number }) => void {
  const everyMs = 3000;
  let said = performance.now();
  return ({ height }) => {
    if (performance.now() - said < everyMs) return;
    said = performance.now();
    note(`verified headers up to ${height}`);
  };
}
