const SMALLEST = 256;

/** The first 63 bits of keyed hashes, in a table with open addressing that is at most half full. */
export class FingerprintSet {
  /** Two words a slot; a slot of zeros is free. */
  #slots = new Uint32Array(2 * SMALLEST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(fingerprint: Buffer): boolean {
    const [high, low] = wordsOf(fingerprint);
    return this.#slots[this.#find(high, low) + 1] === low;
  }

  /** The fingerprint must not be there yet. */
  add(fingerprint: Buffer): void {
    if (4 * (this.#size + 1) > this.#slots.length) this.#grow();
    this.#put(...wordsOf(fingerprint));
    this.#size += 1;
  }

  /** Where the slot of the fingerprint, or the free one that ends the search for it, begins. */
  #find(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    let at = (high * 2) & mask;
    for (;;) {
      const word = this.#slots[at + 1];
      if (word === 0 || (word === low && this.#slots[at] === high)) return at;
      at = (at + 2) & mask;
    }
  }

  #put(high: number, low: number): void {
    const at = this.#find(high, low);
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const low = old[at + 1] ?? 0;
      if (low !== 0) this.#put(old[at] ?? 0, low);
    }
  }
}

/** The lowest bit is set, so that no fingerprint looks like a free slot. */
function wordsOf(fingerprint: Buffer): [high: number, low: number] {
  return [fingerprint.readUInt32BE(0), (fingerprint.readUInt32BE(4) | 1) >>> 0];
}
