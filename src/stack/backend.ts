import type { Duplex } from 'node:stream';
import type { z } from 'zod';
import type { RpcCall } from '../bitcoin/rpc-client.ts';
import type { ServiceName } from './service.ts';

/** How one service is, as the backend sees it. That it runs does not say that it answers. */
export interface ServiceState {
  readonly service: ServiceName;
  readonly state: 'running' | 'restarting' | 'stopped' | 'missing';
  /** How often it ended by itself since it was last started by hand. */
  readonly restarts: number;
  /** ISO 8601; absent when it does not run. */
  readonly since?: string;
  /** How the last end by itself looked: `code 1`, `SIGKILL`, `out of memory`. */
  readonly lastExit?: string;
  /** With Docker: the image as named, and the id of the content. */
  readonly image?: string;
  readonly imageId?: string;
}

export interface LogLine {
  readonly service: ServiceName;
  readonly text: string;
}

export interface LogOptions {
  /** All of them when absent. */
  readonly service?: ServiceName;
  /** So many of the last lines of each service. */
  readonly lines: number;
  /** Go on with what comes until the signal. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export interface Waiting {
  readonly signal: AbortSignal;
}

/** What runs the services of a plan: containers, or processes of this machine. */
export interface Backend {
  /**
   * Starts what does not run, and anew what runs with older settings. Resolves when every service
   * has been started; whether it answers is for the readiness machine. Safe to run twice.
   * @throws UserError for what the operator can mend.
   */
  up(options: Waiting & { readonly onProgress?: (step: string) => void }): Promise<void>;
  /** Ends every service, targets before tor. Data stays. Nothing happens when none runs. */
  down(options: Waiting): Promise<void>;
  /** Ends these services and starts them with the settings of now. */
  restart(services: readonly ServiceName[], options: Waiting): Promise<void>;
  /** One entry for each service of the plan, in its order. */
  states(options: Waiting): Promise<readonly ServiceState[]>;
  logs(options: LogOptions): AsyncIterable<LogLine>;
  /**
   * A call of bitcoind's RPC as its cookie's user, whose rights the plan limits.
   * @throws BitcoinRpcError what bitcoind answered; DialError when it does not answer.
   */
  callBitcoind<T extends z.ZodType>(call: RpcCall<T>): Promise<z.output<T>>;
  /** A stream to the Electrum port of the target, as the node has it, or of the bridge. @throws DialError */
  dialElectrum(service: 'target' | 'bridge', options: Waiting): Promise<Duplex>;
  /** Removes what the backend made outside the home: containers, networks, images of ours. */
  remove(options: Waiting): Promise<void>;
}
