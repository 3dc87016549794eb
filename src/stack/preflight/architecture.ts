import process from 'node:process';
import type { Check } from '../finding.ts';

/** Those that bitcoind and Fulcrum have images and programs for. */
const KNOWN = ['x64', 'arm64'];

export function architectureCheck(): Check {
  return {
    id: 'architecture',
    title: 'processor',
    run: () =>
      Promise.resolve(
        KNOWN.includes(process.arch)
          ? { verdict: 'ok', found: process.arch }
          : {
              verdict: 'fail',
              found: `${process.arch}, for which there are no images`,
              todo: 'Take a 64-bit PC (amd64) or ARM (arm64) machine.',
            },
      ),
  };
}
