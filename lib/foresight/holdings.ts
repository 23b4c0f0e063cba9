import type { Activity } from './activity.js'

/** A grant that is over. Times in ms. Told of each by the same object again: what is to be kept is copied. */
export interface Held {
  /** when it was asked for */
  readonly asked: number
  readonly waited: number
  readonly held: number
}

interface Granted {
  readonly at: number
  readonly waited: number
  next: Granted | undefined
}

/** Grants of one environment and tier that are not over, the latest first; and another line of the same name. */
interface Line {
  readonly kind: Activity['kind']
  readonly environment: number
  readonly tier: number
  latest: Granted | undefined
  readonly next: Line | undefined
}

/** Grants that are remembered until they end, and lines of which some were. */
const GRANTS_MAX = 65_536

/** The end of a hold of a lock may tell to 4 ms only when that began. */
const SAME_MS = 4.1

/**
 * Puts together what a grant's record and that of its end tell: the one knows the wait, the other how long it was held. Of a lock only those grants are remembered that waited, which are few: the
 * end of one that none of them is near to was granted at once.
 */
export class Holdings {
  // By name first, which is a string that is there already, and in lists: strings made of all three, and arrays that are empty again and again, cost more than
  // all the rest.
  readonly #lines = new Map<string, Line>()
  #size = 0
  #count = 0
  /** to be written again; no whole numbers, for they are to have places of their own from the beginning */
  readonly #told = { asked: 0.5, waited: 0.5, held: 0.5 }
  /** ms, when the first was told of */
  #since = Number.NaN

  /** @returns what is over with this; undefined: nothing is, or it was granted before anybody looked */
  of(activity: Activity): Held | undefined {
    // Each is read when it is needed, for mostly it is not.
    const { event } = activity
    if (Number.isNaN(this.#since)) this.#since = activity.time
    if (event === 'grant') {
      if (activity.kind !== 'lock' || activity.waited > 0) this.#add(activity)
      return undefined
    }
    if (event !== 'end' && event !== 'reclaim') return undefined
    const { kind, held } = activity
    if (Number.isNaN(held)) return undefined
    const then = activity.time - held
    const line = this.#count === 0 ? undefined : this.#line(activity)
    const grant = line === undefined ? undefined : takeNearest(line, then, kind === 'lock' ? SAME_MS : Number.POSITIVE_INFINITY)
    if (grant !== undefined) {
      this.#count--
      return this.#tell(grant.at - grant.waited, grant.waited, held)
    }
    return kind === 'lock' && then >= this.#since ? this.#tell(then, 0, held) : undefined
  }

  #tell(asked: number, waited: number, held: number): Held {
    const told = this.#told
    told.asked = asked
    told.waited = waited
    told.held = held
    return told
  }

  #add(activity: Activity): void {
    if (this.#count >= GRANTS_MAX || this.#size >= GRANTS_MAX) this.#forgetOldest()
    const line = this.#line(activity) ?? this.#begin(activity)
    line.latest = { at: activity.time, waited: activity.waited, next: line.latest }
    this.#count++
  }

  /** A reclaim tells of the environment that it was taken from, as a grant of the one that got it. */
  #line({ kind, name, environment, tier }: Activity): Line | undefined {
    let line = this.#lines.get(name)
    while (line !== undefined && (line.environment !== environment || line.tier !== tier || line.kind !== kind)) line = line.next
    return line
  }

  #begin({ kind, name, environment, tier }: Activity): Line {
    const line = { kind, environment, tier, latest: undefined, next: this.#lines.get(name) }
    this.#lines.set(name, line)
    this.#size++
    return line
  }

  #forgetOldest(): void {
    // Many at once: a map is slow at finding its first after each of many is taken out.
    for (const [name, first] of this.#lines) {
      if (this.#count <= GRANTS_MAX / 2 && this.#size <= GRANTS_MAX / 2) return
      for (let line: Line | undefined = first; line !== undefined; line = line.next) {
        this.#count -= lengthOf(line)
        this.#size--
      }
      this.#lines.delete(name)
    }
  }
}

/** Takes out the one that began nearest to then, no further off than so many ms: how long it was held may be known to some ms only. */
function takeNearest(line: Line, then: number, most: number): Granted | undefined {
  let nearest: Granted | undefined
  let before: Granted | undefined
  let last: Granted | undefined
  for (let grant = line.latest; grant !== undefined; last = grant, grant = grant.next) {
    if (nearest !== undefined && Math.abs(grant.at - then) > Math.abs(nearest.at - then)) continue
    nearest = grant
    before = last
  }
  if (nearest === undefined || Math.abs(nearest.at - then) > most) return undefined
  if (before === undefined) line.latest = nearest.next
  else before.next = nearest.next
  return nearest
}

function lengthOf({ latest }: Line): number {
  let length = 0
  for (let grant = latest; grant !== undefined; grant = grant.next) length++
  return length
}
