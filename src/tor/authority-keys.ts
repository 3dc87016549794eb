import { createHash, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { fromUtf8 } from '../base/bytes.ts';
import { createSecretFile, makePrivateDirectory, readIfPresent } from '../io/durable-file.ts';
import type { PrivateAuthority } from './private-network-torrc.ts';
import { startProgram } from './tor-program.ts';

export interface AuthorityOptions {
  /** Of the tor that is to be the authority. Absolute. */
  readonly dataDirectory: string;
  readonly nickname: string;
  /** An IPv4 address of this machine. */
  readonly host: string;
  readonly orPort: number;
  readonly dirPort: number;
  readonly signal: AbortSignal;
}

/** tor's relay identities are RSA keys of this size (tor-spec, "Keys and names"). */
const IDENTITY_BITS = 1024;
const EXPONENT = 65_537;
const FINGERPRINT = /^fingerprint ([0-9A-F]{40})$/m;

export interface CreatedAuthority {
  readonly authority: PrivateAuthority;
  /** Its key certificate, as all who check its votes must have it (dir-spec section 3.1). */
  readonly certificate: string;
}

/** Makes the keys of an authority of a private network, where tor expects them. */
export async function createAuthority(options: AuthorityOptions): Promise<CreatedAuthority> {
  const keys = `${options.dataDirectory}/keys`;
  await makePrivateDirectory(keys);
  const [fingerprint, { v3Ident, certificate }] = await Promise.all([
    createRelayIdentity(keys),
    createVotingKeys(keys, options),
  ]);
  const { nickname, host, orPort, dirPort } = options;
  return {
    authority: { nickname, host, orPort, dirPort, v3Ident, fingerprint },
    certificate,
  };
}

async function createRelayIdentity(keys: string): Promise<string> {
  const options = { modulusLength: IDENTITY_BITS, publicExponent: EXPONENT };
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', options);
  const pem = privateKey.export({ format: 'pem', type: 'pkcs1' });
  await createSecretFile(`${keys}/secret_id_key`, pem);
  const der = publicKey.export({ format: 'der', type: 'pkcs1' });
  return createHash('sha1').update(der).digest('hex').toUpperCase();
}

async function createVotingKeys(
  keys: string,
  options: AuthorityOptions,
): Promise<{ v3Ident: string; certificate: string }> {
  const certificateFile = `${keys}/authority_certificate`;
  const said: string[] = [];
  await using program = await startProgram({
    command: 'tor-gencert',
    args: [
      '--create-identity-key',
      ...['-i', `${keys}/authority_identity_key`],
      ...['-s', `${keys}/authority_signing_key`],
      ...['-c', certificateFile],
      ...['-a', `${options.host}:${options.dirPort}`],
      ...['-m', '12'],
      ...['--passphrase-fd', '0'],
    ],
    // The identity key's file is encrypted; nothing reads it again.
    input: 'sotto\n',
    onLine: (line) => said.push(line),
    signal: options.signal,
  });
  await program.exited;
  const certificate = fromUtf8((await readIfPresent(certificateFile)) ?? new Uint8Array());
  const v3Ident = FINGERPRINT.exec(certificate)?.[1];
  if (v3Ident === undefined) throw new Error(`tor-gencert made no certificate: ${said.join('; ')}`);
  return { v3Ident, certificate };
}
