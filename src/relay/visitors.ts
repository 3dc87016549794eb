/** One who came, with what is left of what it may do. */
export type Visitor<Quota extends object> = Quota & { readonly name: string; links: number };

export interface VisitorsOptions<Quota extends object> {
  /** Whose quota is remembered, at most. */
  readonly most: number;
  readonly linksOfEach: number;
  /** What a newcomer may do. */
  readonly quota: () => Quota;
}

/**
 * Those who are here, and those who left lately: to leave and come again does not renew a quota.
 * Bounded: when there are too many, the one who left the longest ago is forgotten.
 */
export class Visitors<Quota extends object> {
  readonly #options: VisitorsOptions<Quota>;
  readonly #visitors = new Map<string, Visitor<Quota>>();

  constructor(options: VisitorsOptions<Quota>) {
    this.#options = options;
  }

  /** Counts one more link of a visitor; undefined when there are too many. */
  enter(name: string): Visitor<Quota> | undefined {
    const visitor = this.#visitors.get(name) ?? this.#add(name);
    if (visitor === undefined || visitor.links >= this.#options.linksOfEach) return undefined;
    visitor.links += 1;
    return visitor;
  }

  leave(visitor: Visitor<Quota>): void {
    visitor.links -= 1;
    // To the end of the order: the first without a link is then the one who left the longest ago.
    this.#visitors.delete(visitor.name);
    this.#visitors.set(visitor.name, visitor);
  }

  #add(name: string): Visitor<Quota> | undefined {
    if (this.#visitors.size >= this.#options.most && !this.#forgetOne()) return undefined;
    const visitor = { ...this.#options.quota(), name, links: 0 };
    this.#visitors.set(name, visitor);
    return visitor;
  }

  #forgetOne(): boolean {
    for (const [name, { links }] of this.#visitors) {
      if (links === 0) return this.#visitors.delete(name);
    }
    return false;
  }
}
