import { type Container, labelOf } from '../docker/container.ts';
import type { Plan } from '../plan.ts';

/** Where services are told to look for names: nobody is there. */
const NO_RESOLVER = '127.213.0.53';
const UNCONFINED = /^(seccomp|apparmor|label)[=:](unconfined|disable)$/;

/** Which of its restrictions a container lacks; empty when it has all. */
export function missingRestrictions(plan: Plan, container: Container): readonly string[] {
  const { HostConfig: host, Config, Mounts } = container;
  const { uid, gid } = plan.user;
  const options = host.SecurityOpt ?? [];
  const hasNetwork = host.NetworkMode !== 'none';
  const lacks: readonly (readonly [boolean, string])[] = [
    [host.Privileged, 'is privileged'],
    [!host.ReadonlyRootfs, 'can write to its image'],
    [!(host.CapDrop ?? []).includes('ALL'), 'keeps capabilities of root'],
    [(host.CapAdd ?? []).length > 0, 'has capabilities added'],
    [!options.some((each) => /^no-new-privileges([:=]true)?$/.test(each)), 'may gain privileges'],
    [options.some((each) => UNCONFINED.test(each)), 'runs unconfined'],
    [Config.User !== `${uid}:${gid}`, `runs as ${Config.User || 'root'}`],
    [host.PidMode !== '', 'sees other processes'],
    [!['', 'private', 'none', 'shareable'].includes(host.IpcMode), 'shares memory with others'],
    [(host.Devices ?? []).length > 0, 'has devices of this machine'],
    [Mounts.some(({ Source }) => Source?.endsWith('/docker.sock') ?? false), 'rules the engine'],
    [host.Memory === 0, 'has no memory limit'],
    [hasNetwork && host.Dns?.join() !== NO_RESOLVER, 'is told where to resolve names'],
  ];
  return lacks.filter(([is]) => is).map(([, what]) => what);
}

/** Ports of this machine that lead to containers and should not. */
export function wrongPorts(plan: Plan, containers: readonly Container[]): readonly string[] {
  const { exposeLan } = plan.config;
  return containers.flatMap((container) => {
    const service = labelOf(container, 'service') ?? container.Name.slice(1);
    const { PortBindings, PublishAllPorts } = container.HostConfig;
    const bound = [PortBindings, container.NetworkSettings.Ports].flatMap((ports) =>
      Object.values(ports ?? {}).flatMap((bindings) => bindings ?? []),
    );
    const wrong = bound.filter(
      ({ HostIp, HostPort }) =>
        service !== 'lan' || HostIp !== exposeLan?.host || HostPort !== String(exposeLan.port),
    );
    const texts = wrong.map(({ HostIp, HostPort }) => `${HostIp || '0.0.0.0'}:${HostPort}`);
    return [
      ...[...new Set(texts)].map((text) => `${text} leads to ${service}`),
      ...(PublishAllPorts ? [`all ports of ${service} are published`] : []),
    ];
  });
}
