import type { BridgeReport } from '../bridge/status-socket.ts';
import { formatTable } from './output.ts';
import { describeSeconds } from './readiness-view.ts';

/** What `sotto bridge status` tells. */
export function bridgeStatusText(report: BridgeReport, nowMs: number): string {
  const { wallets, connections, watching, exposure, tip } = report;
  const { watched, cached, waiting } = watching;
  const parts = [
    formatTable([
      [
        'wallets',
        `${wallets} connected${connections > wallets ? `, ${connections - wallets} silent` : ''}`,
      ],
      ['addresses', `${watched} watched, ${cached} verified and kept, ${waiting} waited for`],
      ['block', String(tip.height)],
      ['last proof', lastProofText(report, nowMs)],
      ['fees', report.feesAgeMs === undefined ? 'not asked yet' : ago(report.feesAgeMs)],
      ['largest share', shareText(largestShare(report))],
    ]),
  ];
  if (exposure.gateways.length > 0) parts.push(gatewaysText(report));
  if (exposure.relays.length > 0) parts.push(relaysText(report));
  return parts.join('\n\n');
}

export function bridgeStatusJson(report: BridgeReport | undefined): unknown {
  if (report === undefined) return { ready: false };
  return { ready: true, ...report, largestShare: largestShare(report) };
}

/** Of the addresses that were asked for, what the node that was asked for most has seen: 0 to 1. */
function largestShare({ exposure: { gateways } }: BridgeReport): number | undefined {
  const counts = gateways.map(({ addresses }) => addresses);
  const all = counts.reduce((sum, each) => sum + each, 0);
  return all === 0 ? undefined : Math.max(...counts) / all;
}

function gatewaysText({ exposure: { gateways } }: BridgeReport): string {
  const all = gateways.reduce((sum, { addresses }) => sum + addresses, 0);
  return formatTable([
    ['asked', 'addresses', 'share'],
    ...gateways.map(({ name, addresses }) => [name, addresses, shareText(addresses / all)]),
  ]);
}

/** A relay sees no address: what counts is among how many the wallets' cells are. */
function relaysText({ exposure: { relays } }: BridgeReport): string {
  return formatTable([
    ['relay', 'passes on', 'clients, it says'],
    ...relays.map(({ nodeId, addresses, clients }) => [
      nodeId,
      addresses,
      clients === undefined ? 'nothing' : `${clients} or more`,
    ]),
  ]);
}

function lastProofText({ watching: { lastProof } }: BridgeReport, nowMs: number): string {
  if (lastProof === undefined) return 'none yet';
  return `up to block ${lastProof.tip.height}, ${ago(nowMs - lastProof.at)}`;
}

function shareText(share: number | undefined): string {
  if (share === undefined || Number.isNaN(share)) return 'none';
  return `${Math.round(share * 100)} %`;
}

function ago(ms: number): string {
  return `${describeSeconds(ms / 1000)} ago`;
}
