/** Milliseconds since the Unix epoch. `Date.now` in production, a variable in tests. */
export type Clock = () => number;
