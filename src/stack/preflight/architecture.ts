import process from 'node:process';
import type { Check } from '../finding.ts';
import { failure, fine } from '../outcome.ts';

/** Those that bitcoind and Fulcrum have images and programs for. */
const KNOWN = ['x64', 'arm64'];

export function architectureCheck(): Check {
  return {
    id: 'architecture',
    title: 'processor',
    run: () =>
      Promise.resolve(
        KNOWN.includes(process.arch)
          ? fine(process.arch)
          : failure(
              `${process.arch}, for which there are no images`,
              'Take a 64-bit PC (amd64) or ARM (arm64) machine.',
            ),
      ),
  };
}
