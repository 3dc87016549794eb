import type { Check } from '../finding.ts';
import { architectureCheck } from './architecture.ts';
import { clockCheck } from './clock.ts';
import { diskCheck } from './disk.ts';
import { dockerCheck } from './docker.ts';
import { dockerNamesCheck } from './docker-names.ts';
import { existingChainCheck } from './existing-chain.ts';
import { memoryCheck } from './memory.ts';
import { namedFilesCheck } from './named-files.ts';
import { portsCheck } from './ports.ts';
import { programsCheck } from './programs.ts';
import type { Subject } from './subject.ts';

/** What tells whether this machine can run such a server. */
export function preflightChecks(subject: Subject): readonly Check[] {
  const { backend, bitcoinData } = subject.config;
  return [
    architectureCheck(),
    ...(backend === 'docker'
      ? [dockerCheck(), dockerNamesCheck(subject)]
      : [programsCheck(subject)]),
    diskCheck(subject),
    memoryCheck(subject),
    clockCheck(Date.now),
    portsCheck(subject),
    namedFilesCheck(subject),
    ...(bitcoinData === undefined ? [] : [existingChainCheck(subject, bitcoinData)]),
  ];
}
