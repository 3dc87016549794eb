import {
  type Judge,
  done,
  failed,
  type Judgement,
  MINUTE_MS,
  skipped,
  working,
} from './judgement.ts';
import { failureOf, type ListedObservation, type ListedNode, valueOf } from './observations.ts';

const ADVICE = {
  text: '`sotto logs node` shows what the authorities say. A new node is listed with the second consensus at the latest.',
  afterMs: 13 * 60 * MINUTE_MS,
};
const REFUSED_HINT =
  'spec/directory.md section 8 explains the code. The node tries again with its next descriptor: `sotto restart node`.';
const CLOCK_HINT =
  'The clock of this machine does not agree with theirs: sudo timedatectl set-ntp true';
/** Codes of spec/directory.md section 8 for a descriptor whose times are not now. */
const OF_A_WRONG_CLOCK = /^(not-yet-valid|expired|wrong-key-epoch):/;
const FORK_HINT =
  'Nobody can say which is the right one: ask for a policy without them (docs/verifying.md), and show others the evidence, in the directory `evidence` of the node.';
const UNREACHED_HINT =
  'No authority is reached. The node goes on trying. `sotto doctor` looks whether tor is in its network; if it is, the policy may be an old one.';

/** How the newest consensus lists this node, or what the authorities say that do not list it. */
export const judgeListed: Judge = ({ listed }, { subject, nowMs }) => {
  if (subject.membership === 'none') return skipped('no relay network configured');
  const seen = valueOf(listed);
  if (seen === undefined) return working(failureOf(listed), ADVICE);
  const { consensus, fork } = seen;
  if (fork !== undefined) {
    const names = fork.convicted.join(', ');
    return failed(`two consensuses of epoch ${fork.epoch} are signed by ${names}`, FORK_HINT);
  }
  if (consensus === undefined) return notListed(seen, 'no consensus yet');
  const { epoch, node } = consensus;
  if (consensus.validUntil * 1000 <= nowMs) {
    return working(`epoch ${epoch} is out of date`, ADVICE);
  }
  if (subject.membership === 'leaves') {
    return node === undefined
      ? done(`left; not in epoch ${epoch}`)
      : working(`leaves; still in epoch ${epoch}; ${describeAnswers(seen)}`, ADVICE);
  }
  return node === undefined
    ? notListed(seen, `not in epoch ${epoch}`)
    : done([`epoch ${epoch}, ${describeNode(node)}`, ...remarks(seen)].join('; '));
};

function notListed(seen: ListedObservation, since: string): Judgement {
  const refused = seen.answers.filter(({ verdict }) => verdict === 'refused');
  const detail = `${since}; ${describeAnswers(seen)}`;
  const isClock = seen.answers.some(({ reason }) => OF_A_WRONG_CLOCK.test(reason));
  if (refused.length > seen.authorities / 2) {
    return failed(detail, isClock ? CLOCK_HINT : REFUSED_HINT);
  }
  if (isClock) return working(detail, { text: CLOCK_HINT, afterMs: 0 });
  const unreached = seen.answers.filter(({ verdict }) => verdict === 'unreached');
  return unreached.length > 0 && unreached.length === seen.authorities
    ? working(detail, { text: UNREACHED_HINT, afterMs: 0 })
    : working(detail, ADVICE);
}

function describeNode({ flags, weight, share }: ListedNode): string {
  return `${flags.join(',')}, weight ${weight} (${Number((share * 100).toPrecision(2))} %)`;
}

/** What does not count of a descriptor that was taken, each once however many say so. */
function remarks({ answers }: ListedObservation): readonly string[] {
  const taken = answers.filter(({ verdict, reason }) => verdict === 'taken' && reason !== '');
  return [...new Set(taken.map(({ reason }) => reason))];
}

/** How many took the descriptor, and why each of the others did not. */
function describeAnswers({ answers, authorities }: ListedObservation): string {
  if (authorities === 0) return 'the policy names the onion of no authority';
  const taken = answers.filter(({ verdict }) => verdict === 'taken').length;
  const others = answers
    .filter(({ verdict }) => verdict !== 'taken')
    .map(({ authority, verdict, reason }) => `${authority} ${verdict}: ${reason}`);
  return [`${taken} of ${authorities} authorities took the descriptor`, ...others].join('; ');
}
