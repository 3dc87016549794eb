import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { rotatedPath } from './rotating-log.ts';

export interface FollowOptions {
  /** Of a `RotatingLog`, which need not exist yet. */
  readonly path: string;
  /** How many files the log has at most. */
  readonly files: number;
  /** So many of the last lines. */
  readonly lines: number;
  /** Goes on with what comes, until the signal. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** In which file of a log, 0 is the one that grows, and how many bytes into it. */
interface Place {
  readonly age: number;
  readonly offset: number;
}

const NEWLINE = 0x0a;
const POLL_MS = 200;
const READ_BYTES = 64 * 1024;

/** The last lines of a log and those that follow, without a gap where it is rotated. */
export async function* followLog(options: FollowOptions): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of bytesFrom(await placeOfLast(options), options)) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** Where the last lines begin, or the whole log when it has fewer. */
async function placeOfLast({ path, files, lines }: FollowOptions): Promise<Place> {
  let place = { age: 0, offset: 0 };
  let missing = lines;
  for (let age = 0; age < files; age++) {
    const bytes = await unlessAbsent(readFile(rotatedPath(path, age)));
    if (bytes === undefined) break;
    let offset = bytes.length;
    while (offset > 0 && missing >= 0) {
      // The end of the line before the one that begins here.
      const before = bytes.lastIndexOf(NEWLINE, offset - 2);
      if (missing === 0) break;
      missing--;
      offset = offset < 2 ? 0 : before + 1;
    }
    place = { age, offset };
    if (offset > 0) break;
  }
  return place;
}

async function* bytesFrom(
  { age, offset }: Place,
  options: FollowOptions,
): AsyncGenerator<Uint8Array> {
  const { path, follow, signal } = options;
  let file = await unlessAbsent(open(rotatedPath(path, age)));
  // A shorter file is a later one: the log was rotated since the place was found.
  let start = file === undefined || offset > (await file.stat()).size ? 0 : offset;
  while (file === undefined) {
    if (!follow || !(await pause(signal))) return;
    file = await openOldest(options);
  }
  while (file !== undefined) {
    const current: FileHandle = file;
    try {
      file = yield* bytesOf(current, start, options);
    } finally {
      await current.close();
    }
    start = 0;
  }
}

/** The first file of a log that was not there before: it may have been rotated since. */
async function openOldest(options: FollowOptions): Promise<FileHandle | undefined> {
  for (;;) {
    const age = (await inodesOf(options)).length - 1;
    if (age < 0) return undefined;
    const file = await unlessAbsent(open(rotatedPath(options.path, age)));
    if ((await inodesOf(options)).length - 1 === age) return file;
    // All files have moved on in between.
    await file?.close();
  }
}

/** Reads one file to its end. Returns the one that followed it, or undefined when all is over. */
async function* bytesOf(
  file: FileHandle,
  start: number,
  options: FollowOptions,
): AsyncGenerator<Uint8Array, FileHandle | undefined> {
  let offset = start;
  for (;;) {
    // Asked before the file is read: once there is a later one, nothing more is written to this.
    const next = await openAfter(file, options);
    for (;;) {
      const buffer = new Uint8Array(READ_BYTES);
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, offset);
      if (bytesRead === 0) break;
      offset += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    if (next !== undefined) return next;
    if (!options.follow || !(await pause(options.signal))) return undefined;
  }
}

/** The file that followed this one, or undefined when this is the one that grows. */
async function openAfter(
  file: FileHandle,
  options: FollowOptions,
): Promise<FileHandle | undefined> {
  const { ino } = await file.stat();
  for (;;) {
    const age = await ageOf(ino, options);
    if (age === 0) return undefined;
    const next = await unlessAbsent(open(rotatedPath(options.path, age - 1)));
    if (next === undefined) return undefined;
    if ((await ageOf(ino, options)) === age) return next;
    // All files have moved on in between.
    await next.close();
  }
}

/** How often the file has been rotated. One that is gone is older than all that are there. */
async function ageOf(inode: number, options: FollowOptions): Promise<number> {
  const inodes = await inodesOf(options);
  const age = inodes.indexOf(inode);
  return age < 0 ? inodes.length : age;
}

/** By age; undefined for one that is absent for a moment, because files are being renamed. */
async function inodesOf({ path, files }: FollowOptions): Promise<(number | undefined)[]> {
  const inodes: (number | undefined)[] = [];
  for (let age = 0; age < files; age++) {
    inodes.push((await unlessAbsent(stat(rotatedPath(path, age))))?.ino);
  }
  return inodes.slice(0, inodes.findLastIndex((inode) => inode !== undefined) + 1);
}

/** Whether there is more to wait for. */
async function pause(signal: AbortSignal): Promise<boolean> {
  await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

async function unlessAbsent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
