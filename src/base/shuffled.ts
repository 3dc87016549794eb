/** Fisher and Yates, in place. `random` gives a whole number from 0 to under its argument. */
export function shuffled<T>(items: T[], random: (below: number) => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random(last + 1);
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}
