import type { Activity } from './activity.js'

/** A grant that is over. Times in ms. */
export interface Held {
  /** when it was asked for */
  readonly asked: number
  readonly waited: number
  readonly held: number
}

interface Granted {
  readonly at: number
  readonly waited: number
}

/** Grants that are remembered until they end. */
const GRANTS_MAX = 65_536

/** Puts together what a grant's record and that of its end tell: the one knows the wait, the other how long it was held. */
export class Holdings {
  readonly #grants = new Map<string, Granted[]>()
  #count = 0

  /** @returns what is over with this; undefined: nothing is, or it was granted before anybody looked */
  of(activity: Activity): Held | undefined {
    const { event, time, waited, held } = activity
    if (event === 'grant') this.#add(keyOf(activity), { at: time, waited })
    if ((event !== 'end' && event !== 'reclaim') || Number.isNaN(held)) return undefined
    const grant = this.#take(keyOf(activity), time - held)
    return grant === undefined ? undefined : { asked: grant.at - grant.waited, waited: grant.waited, held }
  }

  #add(key: string, grant: Granted): void {
    if (this.#count >= GRANTS_MAX) this.#forgetOldest()
    const known = this.#grants.get(key)
    if (known === undefined) this.#grants.set(key, [grant])
    else known.push(grant)
    this.#count++
  }

  /** The one that began nearest to then: how long it was held may be known to some ms only. */
  #take(key: string, then: number): Granted | undefined {
    const known = this.#grants.get(key)
    if (known === undefined) return undefined
    let best = 0
    for (let at = 1; at < known.length; at++) {
      if (Math.abs((known[at] as Granted).at - then) < Math.abs((known[best] as Granted).at - then)) best = at
    }
    const [grant] = known.splice(best, 1)
    if (known.length === 0) this.#grants.delete(key)
    this.#count--
    return grant
  }

  #forgetOldest(): void {
    // Many at once: a map is slow at finding its first after each of many is taken out.
    for (const [key, grants] of this.#grants) {
      if (this.#count <= GRANTS_MAX / 2) return
      this.#count -= grants.length
      this.#grants.delete(key)
    }
  }
}

/** A reclaim tells of the environment that it was taken from, as a grant of the one that got it. */
function keyOf({ kind, name, environment, tier }: Activity): string {
  return `${kind} ${environment} ${tier} ${name}`
}
