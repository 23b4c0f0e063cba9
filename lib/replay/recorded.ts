import type { Activity } from '../foresight/activity.js'

/** A request as a trace of a table has it: of lock, bucket and pool the one that it asked for. */
export interface RecordedRow {
  /** ms since the Unix epoch at which it was asked for */
  readonly time: number
  /** ms for which it was held; 0: tokens are spent */
  readonly duration: number
  readonly workflow: string | null
  readonly tenant: string | null
  readonly tier: string
  readonly lock: string | null
  readonly bucket: string | null
  readonly tokens: number | null
  readonly pool: string | null
  /** of a pool: ten-thousandths of it, of the dimension of which it asks for the largest part */
  readonly units: number | null
}

interface Grant {
  /** ms of the request, and of the grant */
  readonly asked: number
  readonly granted: number
  readonly activity: Pick<Activity, 'kind' | 'name' | 'workflow' | 'tenant' | 'tier' | 'amount'>
}

/** So exact is the time of a grant that its end tells, at the worst. */
const SAME_MS = 4.1
/** Records of another environment may come so late, ms. */
const LATE_MS = 1_000
/** What is held for longer is written down as that: who comes later would have to wait for it. */
const HELD_MOST_MS = 300_000
const UNITS = 10_000
const INCARNATIONS = 2 ** 16

/**
 * Makes a trace of what is told of an arena: a row for each request that was granted, with the time at which it was made and the time for which it
 * held what it got, in the order of their times. Memory is what is held, and what was asked for since the oldest of it.
 */
export class Recorded {
  private readonly held = new Map<string, Grant[]>()
  private done: RecordedRow[] = []
  /** before it all is written */
  private written = Number.NEGATIVE_INFINITY
  /** requests that were not granted */
  refused = 0

  /** @param tiers names, lowest first */
  constructor(private readonly tiers: readonly string[]) {}

  happened(activities: readonly Activity[]): void {
    for (const activity of activities) {
      const { event, kind } = activity
      if (kind !== 'lock' && kind !== 'bucket' && kind !== 'pool') continue
      if (event === 'grant') this.grant(activity)
      else if (event === 'end' || event === 'reclaim') this.end(activity)
      else if (event === 'refusal' || event === 'abort') this.refused++
    }
  }

  ended(): void {}

  used(): void {}

  /** The rows that nothing can come before any more. @param now ms since the Unix epoch */
  take(now: number): RecordedRow[] {
    let until = now - LATE_MS
    for (const [key, grants] of this.held) {
      while (grants[0] !== undefined && now - grants[0].granted > HELD_MOST_MS) this.add(grants.shift() as Grant, now)
      if (grants.length === 0) this.held.delete(key)
      for (const { asked } of grants) until = Math.min(until, asked)
    }
    return this.before(until)
  }

  /** All that are left: what is held still, as if it ended now. */
  rest(now: number): RecordedRow[] {
    for (const grants of this.held.values()) for (const grant of grants) this.add(grant, now)
    this.held.clear()
    return this.before(Number.POSITIVE_INFINITY)
  }

  private before(until: number): RecordedRow[] {
    const rows = this.done.filter(({ time }) => time < until).sort((a, b) => a.time - b.time)
    this.done = this.done.filter(({ time }) => time >= until)
    this.written = Math.max(this.written, rows.at(-1)?.time ?? this.written)
    return rows
  }

  private grant(activity: Activity): void {
    const { time, waited, kind, name, workflow, tenant, tier, amount } = activity
    const grant = { asked: time - waited, granted: time, activity: { kind, name, workflow, tenant, tier, amount } }
    if (kind === 'bucket') {
      this.add(grant, time)
      return
    }
    const key = keyOf(activity)
    const grants = this.held.get(key)
    if (grants === undefined) this.held.set(key, [grant])
    else grants.push(grant)
  }

  /** What was granted before anybody looked is left out: its end tells of no grant that is known, or of none. */
  private end(activity: Activity): void {
    const { time, held } = activity
    const key = keyOf(activity)
    const grants = this.held.get(key)
    if (grants === undefined || Number.isNaN(held)) return
    let [nearest, apart] = [-1, SAME_MS]
    for (const [at, { granted }] of grants.entries()) {
      const distance = Math.abs(granted - (time - held))
      if (distance < apart) [nearest, apart] = [at, distance]
    }
    if (nearest < 0) return
    this.add(grants.splice(nearest, 1)[0] as Grant, time)
    if (grants.length === 0) this.held.delete(key)
  }

  private add({ asked, granted, activity }: Grant, ended: number): void {
    const { kind, name, workflow, tenant, tier, amount } = activity
    const of = (one: Activity['kind']) => (kind === one ? name : null)
    this.done.push({
      // Another lane's record that came very late: no earlier than what is written.
      time: Math.max(asked, this.written),
      duration: kind === 'bucket' ? 0 : Math.max(0, ended - granted),
      workflow: workflow ?? null,
      tenant: tenant ?? null,
      tier: this.tiers[tier] ?? (this.tiers[0] as string),
      lock: of('lock'),
      bucket: of('bucket'),
      tokens: kind === 'bucket' ? amount : null,
      pool: of('pool'),
      units: kind === 'pool' ? Math.max(1, Math.ceil(amount * UNITS)) : null
    })
  }
}

/** A reclaim tells the environment by its place only. */
function keyOf({ kind, name, tier, environment }: Activity): string {
  return `${kind} ${Math.floor(environment / INCARNATIONS)} ${tier} ${name}`
}
