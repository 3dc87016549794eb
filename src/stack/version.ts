/** Below zero when `a` is the older of two versions such as `31.1` and `0.4.9.11`; zero when equal. */
export function compareVersions(a: string, b: string): number {
  const ours = a.split('.').map(Number);
  const theirs = b.split('.').map(Number);
  for (let at = 0; at < Math.max(ours.length, theirs.length); at++) {
    const difference = (ours[at] ?? 0) - (theirs[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
