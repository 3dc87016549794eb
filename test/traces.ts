import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a command has left on the machine, or has there while it runs. */
export interface Traces {
  /** Command lines of the processes. */
  readonly processes: readonly string[];
  /** Inodes of the sockets that the processes hold. */
  readonly sockets: readonly string[];
  /** Names below the command's directory for temporary files. */
  readonly files: readonly string[];
}

/**
 * Everything of a command that was started with TMPDIR set to a directory of its own: its children
 * inherit the word, whatever group or session they are in.
 */
export function tracesOf(temporary: string): Traces {
  const word = `TMPDIR=${temporary}`;
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(word));
  return {
    processes: pids.map((pid) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')),
    sockets: pids.flatMap(socketsOf),
    files: existsSync(temporary) ? readdirSync(temporary) : [],
  };
}

/** Those of the sockets that listen on a TCP port now. */
export function listeningOf(sockets: readonly string[]): readonly string[] {
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => read(path).split('\n'));
  const listening = rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state]) => state === '0A')
    .map((fields) => fields[9]);
  return sockets.filter((inode) => listening.includes(inode));
}

function socketsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkAt(`/proc/${pid}/fd/${fd}`)) ?? [];
      return inode === undefined ? [] : [inode];
    });
  } catch {
    return [];
  }
}

function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Empty when the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
