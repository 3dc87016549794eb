import { createInterface } from 'node:readline';
import { messageOf } from '../base/errors.ts';
import { readIfPresent } from '../io/durable-file.ts';
import { signingKeyFromSeed } from '../directory/signing-key.ts';
import { type Authority, openAuthority } from './authority.ts';
import { type Answer, requestLine, setupLine } from './authority-lines.ts';

/** A program: one directory authority, driven by JSON lines on standard input until it ends. */
async function main(): Promise<void> {
  let authority: Authority | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (authority === undefined) authority = await setUp(line);
    else process.stdout.write(`${JSON.stringify(await answer(authority, line))}\n`);
  }
}

async function setUp(line: string): Promise<Authority> {
  const { name, network, seedFile, recordFile } = setupLine.parse(JSON.parse(line));
  const seed = await readIfPresent(seedFile);
  if (seed === undefined) throw new Error(`no key of the authority ${name}`);
  return openAuthority({ signer: { name, key: signingKeyFromSeed(seed) }, network, recordFile });
}

async function answer(authority: Authority, line: string): Promise<Answer> {
  const { id, descriptors, plan } = requestLine.parse(JSON.parse(line));
  try {
    return { id, note: await authority.sign(descriptors, plan) };
  } catch (error) {
    return { id, refused: messageOf(error) };
  }
}

await main();
