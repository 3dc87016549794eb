import { type Duplex } from 'node:stream';
import { type Logger } from '../base/log.ts';
import { firstByteOf } from './first-byte.ts';

export interface DoorwayOptions {
  readonly maxWallets: number;
  /** How many may have said nothing yet; one more pushes out the one that came first. */
  readonly maxSilent: number;
  /** How long a connection may say nothing. */
  readonly silentMs: number;
  /** Owns the stream; resolves when the connection has ended. */
  readonly serve: (stream: Duplex) => Promise<void>;
  readonly log: Logger;
}

/**
 * `{` and `[`: how requests and batches of JSON-RPC begin. A browser begins with the name of an HTTP
 * method, or with a TLS record, whatever a web page makes it send after that.
 */
const BEGINNINGS = [0x7b, 0x5b];
/** How a TLS handshake begins. */
const TLS = 0x16;

/** Lets in what speaks like a wallet, and no more of them than can be served. */
export class Doorway {
  readonly #options: DoorwayOptions;
  readonly #silent = new Set<AbortController>();
  readonly #wallets = new Set<Promise<void>>();

  constructor(options: DoorwayOptions) {
    this.#options = options;
  }

  get wallets(): number {
    return this.#wallets.size;
  }

  get connections(): number {
    return this.#wallets.size + this.#silent.size;
  }

  /** Takes the stream over. What is not let in is closed without an answer. */
  async enter(stream: Duplex): Promise<void> {
    const { maxWallets, log } = this.#options;
    if (!(await this.#isWallet(stream))) {
      stream.destroy();
    } else if (this.#wallets.size >= maxWallets) {
      log.warn('a wallet was turned away: too many are connected', { wallets: maxWallets });
      stream.destroy();
    } else {
      const served = this.#options.serve(stream);
      this.#wallets.add(served);
      try {
        await served;
      } finally {
        this.#wallets.delete(served);
      }
    }
  }

  /** Resolves when all wallets have gone. */
  async empty(): Promise<void> {
    await Promise.all(this.#wallets);
  }

  async #isWallet(stream: Duplex): Promise<boolean> {
    const { maxSilent, silentMs, log } = this.#options;
    const leave = new AbortController();
    const goes = (): void => {
      leave.abort();
    };
    const timer = setTimeout(goes, silentMs);
    stream.once('close', goes);
    this.#silent.add(leave);
    const [first] = this.#silent;
    if (this.#silent.size > maxSilent) first?.abort();
    const byte = await firstByteOf(stream, leave.signal);
    clearTimeout(timer);
    stream.off('close', goes);
    this.#silent.delete(leave);
    if (byte === undefined) return false;
    if (BEGINNINGS.includes(byte)) return true;
    if (byte === TLS) log.warn('a connection was refused: it wants TLS, which the bridge has not');
    else log.warn('a connection was refused: it does not begin as wallets do');
    return false;
  }
}
