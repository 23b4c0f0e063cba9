/** How two workflows collide on one element. All amounts are decayed: with a half-life, what came one ago counts half. */
export interface Collision {
  /** who waited; `''`: unknown */
  readonly workflow: string
  /** who held it meanwhile; `''`: unknown */
  readonly blocker: string
  readonly element: string
  /** requests of the one that waited for the other */
  readonly collisions: number
  /** ms of waiting, together */
  readonly waited: number
  /** of that waiting */
  readonly cost: number
  /** ms: when it came last */
  readonly last: number
}

/** Who collides with whom. */
export interface ContentionMap {
  /** ms as of which amounts are decayed */
  readonly time: number
  /** ms */
  readonly halfLife: number
  /** requests that waited, ms of waiting and its cost, of all, whether listed or not */
  readonly collisions: number
  readonly waited: number
  readonly cost: number
  /** the costliest first */
  readonly pairs: readonly Collision[]
}

interface Pair {
  readonly workflow: string
  readonly blocker: string
  readonly element: string
  collisions: number
  waited: number
  cost: number
  /** ms as of which it is decayed */
  last: number
}

export type SavedPair = [workflow: string, blocker: string, element: string, collisions: number, waited: number, cost: number, last: number]

const SAMPLED = 8

/** Keeps who collided with whom; of more pairs than it may, those whose waiting costs most stay. */
export class Collisions {
  /** by workflow and element, and then by blocker */
  private byPlace = new Map<string, Map<string, Pair>>()
  private pairs: Pair[] = []
  private readonly total: Pair = { workflow: '', blocker: '', element: '', collisions: 0, waited: 0, cost: 0, last: 0 }
  private state = 1

  constructor(
    private readonly most: number,
    readonly halfLife: number
  ) {}

  /** A request that waited, together: of whomever it waited for. */
  count(time: number, waited: number, cost: number): void {
    this.add(this.total, time, waited, cost)
  }

  add(to: Pair, time: number, waited: number, cost: number): void {
    const kept = this.kept(to, time)
    to.collisions = kept * to.collisions + 1
    to.waited = kept * to.waited + waited
    to.cost = kept * to.cost + cost
    to.last = Math.max(to.last, time)
  }

  /** One collision of two. */
  collide(workflow: string, blocker: string, element: string, time: number, waited: number, cost: number): void {
    this.add(this.claim(workflow, blocker, element, time), time, waited, cost)
  }

  map(time: number, most: number): ContentionMap {
    const { collisions, waited, cost } = this.asOf(this.total, time)
    const pairs = this.pairs.map(pair => this.asOf(pair, time)).sort((a, b) => b.cost - a.cost || b.collisions - a.collisions)
    return { time, halfLife: this.halfLife, collisions, waited, cost, pairs: pairs.slice(0, most) }
  }

  /** Those who made a workflow wait on an element, by how often. */
  blockersOf(workflow: string, element: string, time: number): { blocker: string; collisions: number }[] {
    const found: { blocker: string; collisions: number }[] = []
    for (const pair of this.byPlace.get(keyOf(workflow, element))?.values() ?? []) {
      found.push({ blocker: pair.blocker, collisions: this.kept(pair, time) * pair.collisions })
    }
    return found.sort((a, b) => b.collisions - a.collisions)
  }

  /** As of a time, which is 0 for those who load it. */
  save(now: number): SavedPair[] {
    return [this.total, ...this.pairs].map(({ workflow, blocker, element, collisions, waited, cost, last }) => [
      workflow,
      blocker,
      element,
      collisions,
      waited,
      cost,
      last - now
    ])
  }

  load([total, ...saved]: readonly SavedPair[]): void {
    this.byPlace.clear()
    this.pairs = []
    const [, , , collisions, waited, cost, last] = total as SavedPair
    Object.assign(this.total, { collisions, waited, cost, last })
    for (const pair of saved.slice(0, this.most)) {
      const made = this.claim(pair[0], pair[1], pair[2], pair[6])
      Object.assign(made, { collisions: pair[3], waited: pair[4], cost: pair[5], last: pair[6] })
    }
  }

  /** It is later than what was loaded took it to be: by ms. */
  shift(by: number): void {
    for (const pair of [this.total, ...this.pairs]) pair.last += by
  }

  private asOf(pair: Pair, time: number): Collision {
    const kept = this.kept(pair, time)
    return { ...pair, collisions: kept * pair.collisions, waited: kept * pair.waited, cost: kept * pair.cost }
  }

  private kept(pair: Pair, time: number): number {
    return 2 ** (-Math.max(0, time - pair.last) / this.halfLife)
  }

  private claim(workflow: string, blocker: string, element: string, time: number): Pair {
    const key = keyOf(workflow, element)
    const blockers = this.byPlace.get(key) ?? new Map<string, Pair>()
    const known = blockers.get(blocker)
    if (known !== undefined) return known
    const made: Pair = { workflow, blocker, element, collisions: 0, waited: 0, cost: 0, last: time }
    if (this.pairs.length < this.most) {
      this.pairs.push(made)
    } else this.replace(this.least(time), made)
    // After the other one is gone: it may have been the only one of this key.
    this.byPlace.set(key, blockers.set(blocker, made))
    return made
  }

  private replace(place: number, by: Pair): void {
    const { workflow, blocker, element } = this.pairs[place] as Pair
    const key = keyOf(workflow, element)
    const blockers = this.byPlace.get(key)
    blockers?.delete(blocker)
    if (blockers?.size === 0) this.byPlace.delete(key)
    this.pairs[place] = by
  }

  private least(time: number): number {
    const costOf = (place: number) => {
      const pair = this.pairs[place] as Pair
      return this.kept(pair, time) * (pair.cost + pair.collisions)
    }
    let least = this.drawn()
    for (let i = 1; i < SAMPLED; i++) {
      const other = this.drawn()
      if (costOf(other) < costOf(least)) least = other
    }
    return least
  }

  private drawn(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.state / 2 ** 32) * this.pairs.length)
  }
}

/** One key of two names, whatever they hold. */
function keyOf(workflow: string, element: string): string {
  return `${workflow.length} ${workflow}${element}`
}
