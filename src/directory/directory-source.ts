import { type DirectoryKind } from './directory-view.ts';

/** A relay or an authority that can be asked for directory documents. */
export interface DirectorySource {
  /** For logs and errors. */
  readonly name: string;
  /** The family it belongs to, where that is known: two of one family are asked as if they were one. */
  readonly family?: string | undefined;
  /** The document, or no bytes when the source does not hold it. `digest` has 32 bytes. */
  fetch(kind: DirectoryKind, digest: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}
