import { Lags } from './lags.js'

/** Of what was counted of a workflow, with each request. */
const KEPT = 0.995
const SAMPLED = 8

/** A workflow that asks for elements. */
export interface Party {
  readonly number: number
  readonly name: string
  /** decayed: requests, and those that waited */
  asked: number
  collided: number
  /** how long it held, exclusively and shared; made when there is one */
  readonly holds: [Lags | undefined, Lags | undefined]
  /** ms, of those that waited; decayed sum and count */
  waited: number
  waits: number
}

/** The workflows, bounded; of more, those that ask most often stay. A number is never used again. */
export class Parties {
  private byName = new Map<string, Party>()
  private byNumber = new Map<number, Party>()
  private all: Party[] = []
  private next = 1
  private state = 1

  constructor(private readonly most: number) {}

  get(name: string): Party | undefined {
    return this.byName.get(name)
  }

  of(number: number): Party | undefined {
    return this.byNumber.get(number)
  }

  claim(name: string): Party {
    const known = this.byName.get(name)
    if (known !== undefined) return known
    const made: Party = { number: this.next++, name, asked: 0, collided: 0, holds: [undefined, undefined], waited: 0, waits: 0 }
    if (this.all.length < this.most) this.all.push(made)
    else {
      const place = this.least()
      const gone = this.all[place] as Party
      this.byName.delete(gone.name)
      this.byNumber.delete(gone.number)
      this.all[place] = made
    }
    this.byName.set(name, made)
    this.byNumber.set(made.number, made)
    return made
  }

  save(): SavedParty[] {
    return this.all.map(({ name, asked, collided, waited, waits, holds }) => {
      const [exclusive, shared] = holds
      return [name, asked, collided, waited, waits, exclusive?.toJSON() ?? [], shared?.toJSON() ?? []]
    })
  }

  load(saved: readonly SavedParty[]): void {
    this.byName.clear()
    this.byNumber.clear()
    this.all = []
    for (const [name, asked, collided, waited, waits, exclusive, shared] of saved.slice(0, this.most)) {
      const party = this.claim(name)
      Object.assign(party, { asked, collided, waited, waits })
      if (exclusive.length > 0) party.holds[0] = new Lags(exclusive)
      if (shared.length > 0) party.holds[1] = new Lags(shared)
    }
  }

  private least(): number {
    let least = this.drawn()
    for (let i = 1; i < SAMPLED; i++) {
      const other = this.drawn()
      if ((this.all[other] as Party).asked < (this.all[least] as Party).asked) least = other
    }
    return least
  }

  private drawn(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.state / 2 ** 32) * this.all.length)
  }
}

export type SavedParty = [
  name: string,
  asked: number,
  collided: number,
  waited: number,
  waits: number,
  exclusive: number[],
  shared: number[]
]

/** Counts a request of a workflow, or of all. */
export function countRequest(of: { asked: number; collided: number }, waits: boolean): void {
  of.asked = KEPT * of.asked + 1
  of.collided = KEPT * of.collided + (waits ? 1 : 0)
}

/** Counts a wait that is over. */
export function countWait(of: { waited: number; waits: number }, ms: number): void {
  of.waited = KEPT * of.waited + ms
  of.waits = KEPT * of.waits + 1
}

export function holdsOf(party: { holds: [Lags | undefined, Lags | undefined] }, isShared: boolean): Lags {
  const at = isShared ? 1 : 0
  const known = party.holds[at] ?? new Lags()
  party.holds[at] = known
  return known
}
